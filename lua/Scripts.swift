/// The Lua sources of this folder, embedded at build time.
public enum Scripts {
    /// The one script that judges and counts in Redis: the folder's files but `record.lua` in the order in which they build on each other.
    public static let source = [
        PackageResources.protocol_lua,
        PackageResources.clock_lua,
        PackageResources.arithmetic_lua,
        PackageResources.values_lua,
        PackageResources.sliding_window_log_lua,
        PackageResources.token_bucket_lua,
        PackageResources.fixed_window_lua,
        PackageResources.sliding_window_counter_lua,
        PackageResources.concurrency_lua,
        PackageResources.operations_lua,
    ].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")

    /// The script that changes accounts, keys and other records.
    public static let record = String(decoding: PackageResources.record_lua, as: UTF8.self)

    /// The one line that reads the clock; tests replace it to inject time.
    public static let clockLine = "local time = redis.call('TIME')"
}
