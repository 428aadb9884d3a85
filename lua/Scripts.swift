/// The Lua sources of this folder, embedded at build time.
public enum Scripts {
    /// The one script that Headgate runs in Redis: the folder's files in the order in which they build on each other.
    public static let source = [
        PackageResources.protocol_lua,
        PackageResources.clock_lua,
        PackageResources.arithmetic_lua,
        PackageResources.sliding_window_log_lua,
        PackageResources.token_bucket_lua,
        PackageResources.fixed_window_lua,
        PackageResources.sliding_window_counter_lua,
        PackageResources.concurrency_lua,
        PackageResources.operations_lua,
    ].map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")

    /// The one line that reads the clock; tests replace it to inject time.
    public static let clockLine = "local time = redis.call('TIME')"
}
