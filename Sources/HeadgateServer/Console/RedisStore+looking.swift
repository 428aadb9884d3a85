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
        var cursor: String? = "0"
        var found: Set<String> = []
        while let place = cursor {
            let page = try await scan(pattern, from: place)
            found.formUnion(page.names)
            cursor = page.next
        }
        return found.sorted()
    }
}
