internal import Headgate
internal import NIOCore
internal import Synchronization

/// Tells other instances that something was given back, and hears it of them: by a word in Redis that each such event changes.
///
/// While denials are remembered the word is read five times a second. When it cannot be read, denials stop to answer. An instance
/// that remembers none only tells.
final class DenialWatch: Sendable {
    /// How often to look.
    static let interval: Duration = .milliseconds(200)
    private static let patience: TimeAmount = .milliseconds(500)
    /// How long the word stays, in milliseconds.
    private static let lifetime = "86400000"

    private let cache: DenialCache?
    private let router: any Router
    private let calls: CallMaker
    private let key: String
    private let hasNews = Atomic<Bool>(false)

    init(_ cache: DenialCache?, router: any Router, calls: CallMaker) {
        self.cache = cache
        self.router = router
        self.calls = calls
        key = "\(calls.keys.prefix):{g:\(KeySpace.ownName)}:given-back"
    }

    /// Notes that something was given back here, which others have to hear of.
    func gaveBack() { hasNews.store(true, ordering: .relaxed) }

    /// Looks until the task is cancelled.
    func run() async {
        var known: RedisValue?
        repeat {
            let tells = hasNews.exchange(false, ordering: .relaxed)
            let looks = cache.map { known == nil || !$0.isEmpty } ?? false
            guard tells || looks else { continue }
            let asked = router.now
            do throws(LimiterError) {
                let word: RedisValue
                if tells {
                    let new = Lease.makeID()
                    _ = try await ask(telling(new))
                    word = .bytes(Array(new.utf8))
                } else {
                    word = try await ask(["GET", key])
                }
                // What others gave back meanwhile is not told apart from our own.
                if tells || (known != nil && known != word) { cache?.forgetAll() }
                known = word
                cache?.heard(at: asked)
            } catch {
                // A key of another type is overwritten.
                if tells || error.code == .badRequest { gaveBack() }
            }
        } while (try? await Task.sleep(for: DenialWatch.interval)) != nil
        // A process that gives back and ends, as a command does, still says so.
        guard hasNews.load(ordering: .relaxed),
            let call = try? calls.call(telling(Lease.makeID()), by: router.now + DenialWatch.patience), call.begin(nil)
        else { return }
        router.submit(Attempt(call))
    }

    private func telling(_ word: String) -> [String] { ["SET", key, word, "PX", DenialWatch.lifetime] }

    private func ask(_ arguments: [String]) async throws(LimiterError) -> RedisValue {
        let call = try calls.call(arguments, by: router.now + DenialWatch.patience)
        return try await call.answer { [router] in router.submit($0) }.get().value
    }
}
