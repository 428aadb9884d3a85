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

    /// Raises the limit as far as the process may, and says how many connections there is room for.
    ///
    /// Beyond that, accepting one would fail over and over, at full speed.
    /// - Parameters:
    ///   - most: The most that are wanted.
    ///   - each: Descriptors that a connection takes.
    /// - Returns: How many connections there is room for.
    static func connections(atMost most: Int, each: Int) -> Int {
        var limit = rlimit()
        // POSIX: both calls use the structure during the call alone.
        guard unsafe getrlimit(descriptors, &limit) == 0 else { return most }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = min(limit.rlim_max, rlim_t(max(most * each + kept, Int(clamping: limit.rlim_cur))))
            if unsafe setrlimit(descriptors, &raised) == 0 { limit = raised }
        }
        return max(1, min(most, (Int(clamping: limit.rlim_cur) - kept) / each))
    }

    #if canImport(Glibc)
    private static let descriptors = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let descriptors = RLIMIT_NOFILE
    #endif
}
