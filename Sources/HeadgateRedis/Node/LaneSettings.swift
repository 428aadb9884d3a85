internal import Headgate
internal import NIOCore

/// What a lane needs to know and to do, beside its own state.
struct LaneSettings: Sendable {
    /// Opens a channel with this handler on this event loop, and tells the handler where it leads.
    ///
    /// The handler tells of all that happens after.
    typealias Dial = @Sendable (any EventLoop, NIOLoopBound<ConnectionHandler>) -> EventLoopFuture<Void>

    /// Takes a call that a node of a cluster does not serve, with what the node said and where the node is.
    typealias Redirected = @Sendable (Attempt, RedisFault, RedisEndpoint?) -> Void

    var configuration: RedisConfiguration
    /// What is loaded at each connect; sentinels know no scripts.
    var script: RedisScript?
    var telemetry: RedisTelemetry
    /// The breaker of the lane's node.
    var health: NodeHealth
    /// How a channel is opened: TLS goes into the pipeline here, and sentinels are asked here where the master is.
    var dial: Dial
    /// Whether a server that is no master is not spoken to.
    var isMasterOnly = false
    /// Who knows the cluster; without one, a redirect is an error.
    var redirected: Redirected?
    /// Takes a call that came to a node which is not needed any more.
    ///
    /// Without one, such a call is refused.
    var left: (@Sendable (Attempt) -> Void)?
    /// A call that shows whether the node makes decisions.
    var probe: @Sendable (Node) -> Call? = { _ in nil }
    /// Makes the calls in which decisions travel together.
    var calls: CallMaker?
    /// Told when the node gave no answer that it should have given.
    var troubled: @Sendable () -> Void = {}
    /// What may wait of the calls that are about a node and not of a caller.
    let ownLoad = Load(RedisConfiguration.Bounds(decisions: 1_024, bytes: 1024 * 1024))
    /// 0 up to 1, each time anew.
    var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    /// The command that opens a slot which is about to move here, for the one command behind it.
    static let asking = Array("*1\r\n$6\r\nASKING\r\n".utf8)
}
