internal import Headgate
internal import NIOCore
internal import Synchronization

/// Tells other instances that something was given back, and hears it of them: by one number in Redis that each such event makes
/// larger.
///
/// While denials are remembered the number is read five times a second. When it cannot be read, denials stop to answer.
final class DenialWatch: Sendable {
    /// How often to look.
    static let interval: Duration = .milliseconds(200)
    private static let patience: TimeAmount = .milliseconds(500)
    private static let lifetime = "86400000"

    private let cache: DenialCache
    private let router: any Router
    private let calls: CallMaker
    private let key: String
    private let hasNews = Atomic<Bool>(false)

    init(_ cache: DenialCache, router: any Router, calls: CallMaker) {
        self.cache = cache
        self.router = router
        self.calls = calls
        key = "\(calls.keys.prefix):{g:headgate}:given-back"
    }

    /// Notes that something was given back here, which others have to hear of.
    func gaveBack() { hasNews.store(true, ordering: .relaxed) }

    /// Looks until the task is cancelled.
    func run() async {
        var known: RedisValue?
        repeat {
            let tells = hasNews.exchange(false, ordering: .relaxed)
            guard tells || !cache.isEmpty || known == nil else { continue }
            let asked = router.now
            do throws(LimiterError) {
                let number: RedisValue
                if tells {
                    number = try await ask(["INCR", key])
                    _ = try await ask(["PEXPIRE", key, DenialWatch.lifetime])
                    // What others gave back meanwhile is not told apart from our own.
                    cache.forgetAll()
                } else {
                    number = try await ask(["GET", key])
                    if let known, known != number.asText { cache.forgetAll() }
                }
                known = number.asText
                cache.heard(at: asked)
            } catch {
                if tells { gaveBack() }
                // A key of another type: it counts as absent.
                if error.code == .badRequest { _ = try? await ask(["DEL", key]) }
            }
        } while (try? await Task.sleep(for: DenialWatch.interval)) != nil
        // A process that gives back and ends, as a command does, still says so.
        guard hasNews.load(ordering: .relaxed), let call = try? calls.call(["INCR", key], by: router.now + DenialWatch.patience),
            call.begin(nil)
        else { return }
        router.submit(Attempt(call))
    }

    private func ask(_ arguments: [String]) async throws(LimiterError) -> RedisValue {
        let call = try calls.call(arguments, by: router.now + DenialWatch.patience)
        return try await call.answer { [router] in router.submit($0) }.get().value
    }
}

extension RedisValue {
    /// A number, whether it came as one or as text.
    fileprivate var asText: RedisValue {
        if case .integer(let number) = self { .bytes(Array(String(number).utf8)) } else { self }
    }
}
