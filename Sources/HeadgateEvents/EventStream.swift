internal import Headgate
internal import HeadgateRedis

/// The stream of events, as the consumers of one group share it.
///
/// An event is pending from being read until it is acknowledged; what an instance leaves pending, another claims.
struct EventStream: Sendable {
    /// An entry as it stands in the stream.
    struct Entry: Sendable, Hashable {
        /// Its place, `1795557900000-0`: unique in the stream.
        var id: String
        var fields: [String: String]
    }

    /// How many events the stream keeps, about.
    static let length = "10000"
    /// The group of all instances that deliver webhooks.
    static let group = "webhooks"

    let store: RedisStore
    /// This instance's name in the group.
    let consumer: String

    /// The stream's key.
    static func key(in store: RedisStore) -> String { "\(store.configuration.keyPrefix):{g:headgate}:events" }

    /// Creates the group, to begin with the oldest event; nothing happens when there is one.
    func createGroup() async throws(LimiterError) {
        do throws(LimiterError) {
            try await send("XGROUP", "CREATE", key, EventStream.group, "0", "MKSTREAM")
        } catch {
            // BUSYGROUP: there is one.
            guard error.code == .badRequest else { throw error }
        }
    }

    /// Takes new events.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when there is no group: somebody emptied the database.
    func read(_ most: Int) async throws(LimiterError) -> [Entry] {
        let reply = try await send("XREADGROUP", "GROUP", EventStream.group, consumer, "COUNT", String(most), "STREAMS", key, ">")
        return EventStream.entries(reply.elements?.first?.elements?.last)
    }

    /// Takes over events that have been pending for a time, from a place of the stream on; returns where to go on.
    func claim(pending time: Duration, from place: String, most: Int) async throws(LimiterError) -> (entries: [Entry], next: String) {
        let idle = String(time.wholeMicroseconds / 1_000)
        let reply = try await send("XAUTOCLAIM", key, EventStream.group, consumer, idle, place, "COUNT", String(most)).elements ?? []
        return (EventStream.entries(reply.count > 1 ? reply[1] : nil), reply.first?.text ?? "0-0")
    }

    /// Keeps others from claiming events that are worked on.
    func hold(_ ids: [String]) async throws(LimiterError) {
        guard !ids.isEmpty else { return }
        try await send(["XCLAIM", key, EventStream.group, consumer, "0"] + ids + ["JUSTID"])
    }

    /// Ends events; safe to be repeated.
    func acknowledge(_ ids: [String]) async throws(LimiterError) {
        guard !ids.isEmpty else { return }
        try await send(["XACK", key, EventStream.group] + ids)
    }

    /// Takes this instance out of the group, and those that have been silent for a day, unless something is pending for them.
    func leave() async throws(LimiterError) {
        let day = "86400000"
        try await send("EVAL", EventStream.leaving, "1", key, EventStream.group, consumer, day)
    }

    private static let leaving = """
        -- KEYS   the stream
        -- ARGV   group; a consumer that leaves; milliseconds of silence after which any consumer is gone
        -- reply  1
        -- keeps  a consumer for whom events are pending stays, since they would be lost with it
        for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
          local name, pending, idle = c[2], c[4], c[6]
          if pending == 0 and (name == ARGV[2] or idle > tonumber(ARGV[3])) then
            redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], name)
          end
        end
        return 1
        """

    private var key: String { EventStream.key(in: store) }

    @discardableResult
    private func send(_ command: String...) async throws(LimiterError) -> RedisValue { try await send(command) }

    @discardableResult
    private func send(_ command: [String]) async throws(LimiterError) -> RedisValue {
        try await store.command(command, within: .seconds(1))
    }

    /// The entries of a reply; those that are deleted or not text are passed over.
    private static func entries(_ value: RedisValue?) -> [Entry] {
        (value?.elements ?? []).compactMap { entry in
            guard let parts = entry.elements, parts.count == 2, let id = parts[0].text else { return nil }
            let texts = (parts[1].elements ?? []).map { $0.text ?? "" }
            let pairs = stride(from: 0, to: texts.count - 1, by: 2).map { (texts[$0], texts[$0 + 1]) }
            return Entry(id: id, fields: Dictionary(pairs) { $1 })
        }
    }
}
