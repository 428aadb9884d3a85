public import Headgate

/// What a Redis user has to be allowed for this product: the least that works.
public struct RedisAccess: Sendable, Hashable {
    /// What is done with Redis.
    public enum Purpose: String, Sendable, Hashable, CaseIterable {
        /// Decisions alone: what a service that links the library needs.
        case limiter
        /// Decisions, and the accounts, keys, usage and events of `headgate serve` and its commands.
        case server
    }

    /// What is done with Redis.
    public var purpose: Purpose
    /// What every key begins with.
    public var keyPrefix: String

    /// What a purpose needs on keys of a prefix.
    /// - Throws: ``LimiterError/Code/badRequest`` when the prefix can be none.
    public init(for purpose: Purpose = .limiter, keyPrefix: String = "hg") throws(LimiterError) {
        _ = try KeySpace(prefix: keyPrefix)
        self.purpose = purpose
        self.keyPrefix = keyPrefix
    }

    /// The rules of `ACL SETUSER` in order, without the user's name and password.
    public var rules: [String] {
        let commands = purpose == .limiter ? RedisAccess.limiterCommands : RedisAccess.limiterCommands + RedisAccess.serverCommands
        return ["resetkeys", "~\(keyPrefix):*", "resetchannels", "-@all"] + Set(commands).sorted().map { "+\($0)" }
    }

    /// The line that makes the user, as `redis-cli` takes it.
    public func setUser(_ user: String, password: String = ">PASSWORD") -> String {
        (["ACL", "SETUSER", user, "reset", "on", password] + rules).joined(separator: " ")
    }

    /// What connections, the script and the watch of the server use.
    ///
    /// `TIME` and the data commands run inside the script.
    static let limiterCommands = [
        "evalsha", "script|load", "select", "ping", "client|setname", "role", "info", "cluster|slots", "time",
        "del", "exists", "get", "lpop", "lrange", "lrem", "lset", "ltrim", "mget", "pexpire", "pttl", "rpush", "set", "zadd", "zcard",
        "zcount", "zrange", "zrangebyscore", "zrem", "zremrangebyscore", "zscore",
    ]

    /// What records, usage, events and `headgate inspect` use beside.
    static let serverCommands = [
        "eval", "hdel", "hget", "hgetall", "hincrby", "hlen", "hset", "lindex", "llen", "sadd", "scan", "scard", "smembers",
        "type", "xack", "xadd", "xautoclaim", "xclaim", "xgroup|create", "xgroup|delconsumer", "xinfo|consumers", "xrange", "xreadgroup",
        "xrevrange",
    ]

    /// One harmless use of each command that decisions need, on a key that nobody else has.
    ///
    /// The key is a string that lives a minute: what is for lists and sorted sets is refused for its type, behind the check of rights,
    /// so that nothing is left over wherever this breaks off.
    static func trials(on key: String) -> [[String]] {
        let lists = [
            ["RPUSH", key, "1"], ["LRANGE", key, "0", "0"], ["LSET", key, "0", "1"], ["LTRIM", key, "0", "0"], ["LREM", key, "1", "1"],
            ["LPOP", key],
        ]
        let sortedSets = [
            ["ZADD", key, "1", "1"], ["ZSCORE", key, "1"], ["ZCARD", key], ["ZCOUNT", key, "0", "1"], ["ZRANGE", key, "0", "0"],
            ["ZRANGEBYSCORE", key, "0", "1"], ["ZREMRANGEBYSCORE", key, "0", "0"], ["ZREM", key, "1"],
        ]
        return [
            ["TIME"], ["ROLE"], ["SET", key, "1", "PX", "60000"], ["GET", key], ["MGET", key], ["EXISTS", key], ["PEXPIRE", key, "60000"],
            ["PTTL", key],
        ]
            + lists + sortedSets + [["DEL", key]]
    }
}
