#if canImport(Darwin)
internal import Darwin
#elseif canImport(Musl)
internal import Musl
#else
internal import Glibc
#endif

extension StoreTime {
    /// The host's idea of the time, to the second; it places a ``MemoryStore`` on the calendar and decides nothing.
    public static var now: StoreTime {
        StoreTime(microseconds: Int64(time(nil)) * 1_000_000)
    }
}
