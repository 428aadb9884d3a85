/// The times between the questions of a poll: each of them once, then the last one again and again.
public struct PollingIntervals: Sendable, Hashable {
    private let intervals: [Duration]

    /// 5, 10, 30 and then every 60 seconds.
    public static let progressive = PollingIntervals(.seconds(5), .seconds(10), .seconds(30), .seconds(60))

    /// Creates intervals.
    public init(_ first: Duration, _ others: Duration...) { intervals = [first] + others }

    /// The time after so many questions; never less than the server asks to be left in peace.
    func wait(after questions: Int, retryAfter: Duration?) -> Duration {
        max(intervals[min(max(0, questions - 1), intervals.count - 1)], retryAfter ?? .zero)
    }
}
