/// The events that this instance has to deliver, and what is next: a pure state machine of bounded size.
struct DeliveryBook: Sendable {
    /// One attempt to deliver.
    struct Delivery: Sendable, Hashable {
        var id: String
        var event: LimitEvent
        /// 1 is the first.
        var attempt: Int
    }

    /// What becomes of an event after an attempt.
    enum Verdict: Sendable, Hashable {
        case delivered
        case retry(after: Duration)
        case givenUp
    }

    private enum Stage: Sendable, Hashable {
        case waiting(until: Duration)
        case underway
        /// It is over, and to be acknowledged.
        case settled
    }

    private struct Held: Sendable {
        var delivery: Delivery
        var stage: Stage
    }

    /// In the order in which they came.
    private var held: [Held] = []
    /// What is no event of ours, and to be acknowledged.
    private var foreign: [String] = []
    private let schedule: RetrySchedule
    private let mostHeld: Int
    private let mostUnderway: Int

    init(schedule: RetrySchedule = RetrySchedule(), mostHeld: Int, mostUnderway: Int) {
        self.schedule = schedule
        self.mostHeld = mostHeld
        self.mostUnderway = mostUnderway
    }

    /// How many more events may be taken.
    var room: Int { max(0, mostHeld - held.count - foreign.count) }

    /// The events that are held, so that no other instance takes them over.
    var ids: [String] { held.map(\.delivery.id) }

    /// How many attempts are under way.
    var underway: Int { held.count { $0.stage == .underway } }

    /// What is over and not acknowledged.
    var settled: [String] { foreign + held.filter { $0.stage == .settled }.map(\.delivery.id) }

    /// Takes an entry of the stream; one that is held already stays as it is.
    mutating func add(_ entry: EventStream.Entry, at now: Duration) {
        guard !held.contains(where: { $0.delivery.id == entry.id }), !foreign.contains(entry.id) else { return }
        guard let event = LimitEvent(fields: entry.fields) else { return foreign.append(entry.id) }
        held.append(Held(delivery: Delivery(id: entry.id, event: event, attempt: 0), stage: .waiting(until: now)))
    }

    /// The next attempt that is due, which is under way from now on.
    mutating func next(at now: Duration) -> Delivery? {
        guard underway < mostUnderway else { return nil }
        let due = held.firstIndex { if case .waiting(let until) = $0.stage { until <= now } else { false } }
        guard let due else { return nil }
        held[due].stage = .underway
        held[due].delivery.attempt += 1
        return held[due].delivery
    }

    /// Decides on an event whose attempt was answered.
    mutating func finish(
        _ delivery: Delivery,
        _ answer: WebhookAnswer,
        at now: Duration,
        using random: inout some RandomNumberGenerator
    ) -> Verdict {
        let verdict: Verdict =
            switch answer {
            case .status(200..<300): .delivered
            case .status(410): .givenUp  // Gone: the receiver wants no more.
            case .status, .nothing: schedule.wait(after: delivery.attempt, using: &random).map { .retry(after: $0) } ?? .givenUp
            }
        if let index = held.firstIndex(where: { $0.delivery.id == delivery.id }) {
            held[index].stage = if case .retry(let wait) = verdict { .waiting(until: now + wait) } else { .settled }
        }
        return verdict
    }

    /// Forgets what was acknowledged.
    mutating func forget(_ ids: [String]) {
        held.removeAll { ids.contains($0.delivery.id) }
        foreign.removeAll(where: ids.contains)
    }
}

extension DeliveryBook.Verdict {
    /// The verdict as a metric's label.
    var label: String {
        switch self {
        case .delivered: "delivered"
        case .retry: "retry"
        case .givenUp: "given_up"
        }
    }
}
