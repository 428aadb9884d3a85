public import Headgate
internal import NIOCore

extension RedisStore {
    /// Sends any command but those that block or change the connection, and waits for its reply.
    ///
    /// - Throws: ``LimiterError``; its charge is unknown when Redis may have run the command.
    package func command(_ arguments: [String]) async throws(LimiterError) -> RedisValue {
        try await command(arguments, within: configuration.deadline)
    }

    /// Sends a command that may take longer than a decision.
    package func command(_ arguments: [String], within time: Duration) async throws(LimiterError) -> RedisValue {
        let deadline = node.now + TimeAmount(time)
        let call = try makeCall(CommandArguments(arguments).framed(), expecting: .anything, weight: 1, by: deadline)
        return try await answer(to: call).value
    }

    /// Makes a real decision on a key of its own, to see whether Redis can make decisions: PING answers on servers that cannot.
    ///
    /// - Throws: ``LimiterError`` with the reason why decisions cannot be made now.
    public func probe() async throws(LimiterError) {
        let limit = try Limit("canary", .tokenBucket(1_000, per: .seconds(1)))
        _ = try await decide([StoreDecision(charges: [Charge(limit, identity: Identity(.global, "headgate"))])])
    }
}
