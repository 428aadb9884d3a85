internal import Headgate
internal import NIOCore

/// Asks all sentinels at once where the master is.
///
/// Each sentinel is a node with one connection of its own: a dead one costs nothing, a hung one its time to answer.
final class MasterFinder: Sendable {
    let settings: RedisSentinels
    private let sentinels: [Node]
    private let question: [UInt8]
    private let load = Load(RedisConfiguration.Bounds(decisions: 1, bytes: 1024 * 1024))

    init(_ settings: RedisSentinels, _ sentinels: [Node]) throws(LimiterError) {
        self.settings = settings
        self.sentinels = sentinels
        question = try CommandArguments(["SENTINEL", "MASTER", settings.master]).framed()
    }

    /// Where the master is, by the sentinels that answer in time.
    func find(on eventLoop: any EventLoop) -> EventLoopFuture<RedisEndpoint> {
        let promise = eventLoop.makePromise(of: RedisEndpoint.self)
        let poll = SharedPoll(MasterPoll(of: sentinels.count, master: settings.master), promise)
        for sentinel in sentinels {
            do {
                let share = try load.take(decisions: 0, bytes: question.count)
                let deadline = sentinel.now + TimeAmount(settings.answerTimeout)
                let call = Call(frame: question, expecting: .anything, deadline: deadline, share: share)
                if call.begin({ poll.heard(MasterPoll.Answer($0)) }) { sentinel.submit(Attempt(call)) }
            } catch {
                poll.heard(.failed)
            }
        }
        return promise.futureResult
    }

    /// Begins to connect.
    func start() {
        for sentinel in sentinels { sentinel.start() }
    }

    /// Closes the connections to the sentinels.
    func stop(by limit: NIODeadline) async {
        for sentinel in sentinels { await sentinel.stop(by: limit) }
    }
}
