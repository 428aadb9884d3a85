/// What is known of one limit of one key, and when the next request fits into it: without clock and I/O.
///
/// All times are since the client's start. The server's figures are believed and brought up to date: what was sent since an answer
/// has used up a unit each. What is left is used at once down to a reserve, then spread over the time until more is there; with
/// nothing left nothing is sent until then. Past that time one request goes ahead and its answer tells.
struct Quota: Sendable {
    /// The share of a limit that is not sent at once.
    let reserve: Double

    private(set) var reading: QuotaReading
    /// When more is there; nil when the server does not say.
    private(set) var resetAt: Duration?
    /// By which request the figures came.
    private var number: UInt64
    /// Requests that were sent and whose answers are not in the figures.
    private var unseen: Set<UInt64> = []
    /// Requests that ended without figures and may have been charged.
    private var lost: Int64 = 0
    private var lastSent: Duration
    private var window = Window()

    init(_ reading: QuotaReading, request number: UInt64, sent: Duration, at now: Duration, others: Set<UInt64>, reserve: Double) {
        self.reading = reading
        self.reserve = reserve
        self.number = number
        resetAt = reading.reset.map { now + $0 }
        lastSent = sent
        unseen = others
        learn(sent: sent, received: now)
    }

    /// Units that are left for further requests.
    var left: Int64 { reading.remaining - Int64(unseen.count) - lost }

    /// Whether the figures have been overtaken by time.
    func isStale(at now: Duration) -> Bool { available.map { $0 <= now } ?? true }

    /// When the figures say that there is more.
    private var available: Duration? {
        guard let resetAt else { return nil }
        guard let limit = reading.limit else { return resetAt }
        guard let early = window.return(ofUnit: limit - reading.remaining - Int64(unseen.count)) else { return resetAt }
        return min(resetAt, early)
    }

    /// When the next request may be sent: `.zero` at once; nil when that is known only when an answer has come.
    func next(at now: Duration) -> Duration? {
        guard let available else {
            // Nobody says when more is there: with nothing left, one at a time asks.
            return left > 0 || unseen.isEmpty ? .zero : nil
        }
        if now >= available { return unseen.isEmpty || left > 0 ? .zero : nil }
        guard left > 0 else { return available }
        guard reading.unit == .requests, let limit = reading.limit, Double(left) <= Double(limit) * reserve else { return .zero }
        return lastSent + (available - lastSent) / Double(left + 1)
    }

    /// The earliest time at which a request can fit, whatever answers come; `.zero` when that is open.
    func wall(at now: Duration) -> Duration { left > 0 || now >= (resetAt ?? now) ? .zero : available ?? .zero }

    /// A request was sent.
    mutating func send(_ request: UInt64, at now: Duration) {
        unseen.insert(request)
        lastSent = now
    }

    /// A request ended without figures.
    mutating func lose(_ request: UInt64) {
        guard unseen.remove(request) != nil else { return }
        // It may have been charged, which figures that are newer will tell.
        if request > number { lost += 1 }
    }

    /// A request was not sent after all.
    mutating func withdraw(_ request: UInt64) { unseen.remove(request) }

    /// An answer brought figures.
    mutating func update(_ reading: QuotaReading, request: UInt64, sent: Duration, at now: Duration, underway: Set<UInt64>) {
        unseen = underway
        lost = 0
        var reading = reading
        if request < number {
            // A later request's answer came first. The server may have served them in either order: the smaller figure counts.
            reading.remaining = min(reading.remaining, self.reading.remaining)
        }
        number = max(number, request)
        self.reading = reading
        resetAt = reading.reset.map { now + $0 }
        learn(sent: sent, received: now)
    }

    /// A limit denied a request: there is nothing left, until the time that the server gave.
    mutating func deny(_ reading: QuotaReading, request: UInt64, retryAfter: Duration?, at now: Duration, underway: Set<UInt64>) {
        window.doubt()
        number = max(number, request)
        unseen = underway
        lost = 0
        self.reading = reading
        self.reading.remaining = 0
        let times = [reading.reset, retryAfter].compactMap { $0 }.map { now + $0 }
        resetAt = times.max()
    }

    /// A request was charged: remembers when, to know when its unit comes back.
    private mutating func learn(sent: Duration, received: Duration) {
        guard let limit = reading.limit, reading.unit == .requests, limit <= Window.mostUnits else { return }
        window.add(sent: sent, received: received, length: reading.window)
        window.learn(used: limit - reading.remaining, reset: resetAt)
    }
}
