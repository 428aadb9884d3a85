internal import Headgate
internal import NIOCore

/// What a lane needs to know and to do, beside its own state.
struct LaneSettings: Sendable {
    /// Opens a channel with this handler on this event loop.
    ///
    /// The handler tells of all that happens after.
    typealias Dial = @Sendable (any EventLoop, NIOLoopBound<ConnectionHandler>) -> EventLoopFuture<Void>

    var configuration: RedisConfiguration
    var script: RedisScript
    var telemetry: RedisTelemetry
    /// How a channel is opened.
    ///
    /// TLS goes into the pipeline here; Sentinel is asked here where the master is.
    var dial: Dial
    /// 0 up to 1, each time anew.
    var random: @Sendable () -> Double = { Double.random(in: 0..<1) }
}
