import Headgate
import HeadgateRedis

extension RedisStore {
    /// How its keys are named.
    func keySpace() throws(LimiterError) -> KeySpace { try KeySpace(prefix: configuration.keyPrefix) }

    /// The names of an identity's keys, sorted.
    ///
    /// It walks the whole key space, a thousand keys at a time, so that other clients are served between.
    func keyNames(of identity: Identity) async throws(LimiterError) -> [String] {
        let pattern = "\(configuration.keyPrefix):{\(identity.tag)}:*"
        var cursor = "0"
        var found: Set<String> = []
        repeat {
            let reply = try await command(["SCAN", cursor, "MATCH", pattern, "COUNT", "1000"]).elements ?? []
            guard reply.count == 2, let next = reply[0].text else { throw LimiterError(.wireProtocol, "Redis' answer to SCAN is no page") }
            found.formUnion(reply[1].elements?.compactMap { $0.text } ?? [])
            cursor = next
        } while cursor != "0"
        return found.sorted()
    }
}
