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
        try await answer(to: makeCall(arguments, by: router.now + TimeAmount(time))).value
    }

    /// Whether keys lie on several servers, so that a command's keys have to share a slot.
    package var isCluster: Bool { calls.isCluster }

    /// Some names of keys that fit a pattern, over all servers, and where to go on; `nil` when there are no more.
    ///
    /// It walks the whole key space a thousand keys at a time, so that other clients are served between. A name may come twice.
    /// - Parameters:
    ///   - pattern: What the names look like, as `SCAN` takes it.
    ///   - cursor: Where an earlier page said to go on: a number, in a cluster with that of the server before it.
    /// - Returns: Names, and the cursor of the next page.
    /// - Throws: ``LimiterError``.
    package func scan(_ pattern: String, from cursor: String = "0") async throws(LimiterError) -> (names: [String], next: String?) {
        let nodes = router.nodes.sorted { "\($0.endpoint.map { "\($0)" } ?? "")" < "\($1.endpoint.map { "\($0)" } ?? "")" }
        let places = cursor.split(separator: "-", maxSplits: 1).map(String.init)
        let number = places.count == 2 ? Int(places[0]) ?? 0 : 0
        guard number < nodes.count, let place = places.last else { return ([], nil) }
        let patience = TimeAmount(configuration.deadline) + .seconds(1)
        let page = try await nodes[number].ask(["SCAN", place, "MATCH", pattern, "COUNT", "1000"], within: patience).elements ?? []
        guard page.count == 2, let next = page[0].text else { throw LimiterError(.wireProtocol, "Redis' answer to SCAN is no page") }
        let names = (page[1].elements ?? []).compactMap(\.text)
        if next != "0" { return (names, nodes.count == 1 ? next : "\(number)-\(next)") }
        return (names, number + 1 < nodes.count ? "\(number + 1)-0" : nil)
    }

    /// Redis' clock.
    package func time() async throws(LimiterError) -> StoreTime {
        let parts = try await command(["TIME"]).elements?.compactMap { $0.text.flatMap { Int64($0) } } ?? []
        guard parts.count == 2 else { throw LimiterError(.wireProtocol, "Redis' answer to TIME is no time") }
        return StoreTime(microseconds: parts[0] * 1_000_000 + parts[1])
    }

    /// A hash as a dictionary; empty when there is none.
    package func hash(_ key: String) async throws(LimiterError) -> [String: String] {
        let parts = try await command(["HGETALL", key]).elements ?? []
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            if let name = parts[index].text, let value = parts[index + 1].text { fields[name] = value }
        }
        return fields
    }

    /// Makes a real decision on a key of its own, to see whether Redis can make decisions: PING answers on servers that cannot.
    ///
    /// In a cluster one master that can is enough.
    /// - Throws: ``LimiterError`` with the reason why decisions cannot be made now.
    public func probe() async throws(LimiterError) {
        var refusal = LimiterError(.clusterDown, "no master of the cluster is known yet")
        for node in router.nodes {
            guard let tag = router.tag(of: node) else { continue }
            do throws(LimiterError) {
                _ = try await run(.decide([try .canary(tag)], context), by: deadline)
                return
            } catch {
                refusal = error
            }
        }
        throw refusal
    }
}
