#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// How many files and sockets the process may have open.
enum DescriptorLimit {
    /// What is kept for Redis, logs, files and listeners.
    private static let kept = 40
    /// What is asked for, where the system lets a process raise its own limit: a gateway's connections, two descriptors each.
    private static let wanted = 2 * 10_000 + kept

    /// How many connections of so many descriptors each there is room for, at most so many.
    ///
    /// Beyond that, accepting one would fail over and over, at full speed.
    static func connections(atMost most: Int, each: Int) -> Int { max(1, min(most, (available - kept) / each)) }

    /// What the process may have open; raised once, as far as it may be.
    private static let available: Int = {
        var limit = rlimit()
        // POSIX: both calls use the structure during the call alone.
        guard unsafe getrlimit(descriptors, &limit) == 0 else { return wanted }
        let raised = rlimit(rlim_cur: max(limit.rlim_cur, min(limit.rlim_max, rlim_t(wanted))), rlim_max: limit.rlim_max)
        var asked = raised
        return Int(clamping: unsafe setrlimit(descriptors, &asked) == 0 ? raised.rlim_cur : limit.rlim_cur)
    }()

    #if canImport(Glibc)
    private static let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let descriptors = RLIMIT_NOFILE
    #endif
}
