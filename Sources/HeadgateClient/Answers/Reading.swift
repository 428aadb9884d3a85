internal import HTTPTypes

/// What is understood of one answer.
struct Reading: Sendable, Hashable {
    /// How the server took the request.
    enum Outcome: Sendable, Hashable {
        /// It was served, well or badly, and asking again changes nothing.
        case served
        /// A limit denied it; it was not processed.
        case limited
        /// The server cannot serve now.
        case unavailable
    }

    var status: Int
    var outcome: Outcome
    var quotas: [QuotaReading] = []
    /// The time that the server asks to be left in peace, from the answer on; zero when it said a time that has passed.
    var retryAfter: Duration?
}

/// The times around an answer, since the epoch by the local clock.
struct AnswerTimes: Sendable, Hashable {
    var sent: Duration
    var received: Duration
}

extension Reading {
    /// Whether an answer's body is worth reading for what the header fields leave open.
    static func needsBody(status: Int) -> Bool { status == 429 || status == 503 }

    /// Reads an answer; what is malformed in it counts as absent.
    ///
    /// The server's `Date` corrects a local clock that is wrong.
    init(status: Int, _ fields: HTTPFields, body: [UInt8] = [], times: AnswerTimes, clock: inout ServerClock) {
        if let date = fields[.date].flatMap({ HTTPDate.epochSecond($0) }) {
            clock.observe(date: date, sent: times.sent, received: times.received)
        }
        let instants = Instants(clock: clock, now: times.received)
        self.status = status
        quotas =
            DraftFields.read(fields, instants) + XRateLimitFields.read(fields, instants) + VendorFields.read(fields, instants)
        let hints = BodyHints(body)
        retryAfter =
            Reading.retryAfter(fields, instants) ?? hints.retryAfter ?? hints.resetAt.map { instants.time(untilEpochSecond: Double($0)) }
        let isSpent = quotas.contains { $0.remaining == 0 }
        outcome =
            switch status {
            case 429: .limited
            case 503: .unavailable
            // GitHub's primary and secondary limits.
            case 403 where isSpent || retryAfter != nil: .limited
            default: .served
            }
        // A limit that denied says itself when it has more (draft, 5; the first seed's X-RateLimit-Reset).
        if outcome == .limited, retryAfter == nil { retryAfter = quotas.filter { $0.remaining == 0 }.compactMap(\.reset).max() }
    }

    /// `Retry-After` in seconds or as a date, and what OpenAI adds in milliseconds.
    private static func retryAfter(_ fields: HTTPFields, _ instants: Instants) -> Duration? {
        if let text = fields[.retryAfterMilliseconds], let value = FieldText.number(text) { return FieldText.seconds(value / 1_000) }
        guard let text = fields[.retryAfter] else { return nil }
        if let value = FieldText.number(text) { return FieldText.seconds(value) }
        return HTTPDate.epochSecond(text).map { instants.time(untilEpochSecond: Double($0)) }
    }
}

/// Turns instants of the server's clock into times from an answer on.
struct Instants: Sendable {
    var clock: ServerClock
    var now: Duration

    func time(untilEpochSecond second: Double) -> Duration { clock.time(until: second, from: now) }

    /// The time until a reset that is written as an epoch, in seconds or milliseconds, or as a number of seconds from now.
    ///
    /// No window is as long as the time since 1970: what is above a thousand million seconds is an instant.
    func time(untilReset text: some StringProtocol) -> Duration? {
        guard let value = FieldText.number(text), value >= 0 else { return nil }
        switch value {
        case 1e12...: return time(untilEpochSecond: value / 1_000)
        case 1e9...: return time(untilEpochSecond: value)
        default: return FieldText.seconds(value)
        }
    }
}
