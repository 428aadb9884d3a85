internal import Headgate

/// How finely usage is counted: each account has a hash per minute, per hour and per day of UTC.
public enum UsageResolution: String, Sendable, Hashable, CaseIterable, Codable {
    /// `hg:{a:acme}:usage-minute-2026-11-24T21.45`, kept for 3 hours.
    case minute
    /// `hg:{a:acme}:usage-hour-2026-11-24T21`, kept for 9 days.
    case hour
    /// `hg:{a:acme}:usage-day-2026-11-24`, kept for 40 days.
    case day
}

extension UsageResolution {
    /// The time that one hash counts.
    public var length: Duration { .seconds(seconds) }

    /// The time that a hash lives after its first count; no shorter after its beginning.
    public var timeToLive: Duration {
        switch self {
        case .minute: .seconds(3 * 3_600)
        case .hour: .seconds(9 * 86_400)
        case .day: .seconds(40 * 86_400)
        }
    }

    /// The longest period that is reported at this resolution.
    var longestPeriod: Duration {
        switch self {
        case .minute: .seconds(2 * 3_600)
        case .hour: .seconds(8 * 86_400)
        case .day: UsagePeriod.longest
        }
    }

    /// The beginning of the minute, hour or day that an instant lies in.
    func start(of time: StoreTime) -> StoreTime {
        let length = seconds * 1_000_000
        let rest = time.microseconds % length
        return StoreTime(microseconds: time.microseconds - (rest < 0 ? rest + length : rest))
    }

    /// The key of the hash that counts an instant.
    func key(of identity: Identity, at time: StoreTime, prefix: String) -> String {
        let stamp = start(of: time).rfc3339  // 2026-11-24T21:45:00Z
        let text =
            switch self {
            case .minute: "\(stamp.prefix(13)).\(stamp.dropFirst(14).prefix(2))"
            case .hour: String(stamp.prefix(13))
            case .day: String(stamp.prefix(10))
            }
        return "\(prefix):{\(identity.tag)}:usage-\(rawValue)-\(text)"
    }

    private var seconds: Int64 {
        switch self {
        case .minute: 60
        case .hour: 3_600
        case .day: 86_400
        }
    }
}
