internal import Headgate
internal import NIOCore

/// Whether a node is worth asking: the logic of a circuit breaker, without clock or I/O.
///
/// It opens when failures come in a row, five of them or for a second, and nothing else between. While it is open calls are
/// refused at once with what went wrong, and the real script is tried a few times a second; any answer closes it, a late one to
/// a call that was given up as well.
struct Breaker {
    /// Failures in a row that open it, however fast they come.
    static let mostFailures = 5
    /// How long failures without an answer between them may go on before it opens.
    static let longestTrouble: TimeAmount = .seconds(1)
    /// The shortest time between two probes.
    static let probeInterval: TimeAmount = .milliseconds(250)
    /// What is added to the interval at most, so that instances do not probe together.
    static let probeJitter: TimeAmount = .milliseconds(50)

    /// Failures since the last answer.
    private(set) var failures = 0
    private var troubledSince = NIODeadline.uptimeNanoseconds(0)

    /// What calls are refused with; `nil` while it is closed.
    private(set) var refusal: LimiterError?

    /// Whether anything failed since the last answer.
    var isTroubled: Bool { failures > 0 }

    /// Notes that a call found no answer; true when that opens it.
    mutating func failed(_ error: LimiterError, at now: NIODeadline) -> Bool {
        if failures == 0 { troubledSince = now }
        failures += 1
        let wasOpen = refusal != nil
        guard wasOpen || failures >= Breaker.mostFailures || (failures > 1 && now - troubledSince >= Breaker.longestTrouble) else {
            return false
        }
        refusal = error.with(.notCharged)
        return !wasOpen
    }

    /// Notes that the node answered; true when that closes it.
    mutating func answered() -> Bool {
        failures = 0
        guard refusal != nil else { return false }
        refusal = nil
        return true
    }
}

extension LimiterError.Code {
    /// Whether an error says that its node cannot make decisions now, rather than that one call was wrong.
    var isNodeTrouble: Bool {
        switch self {
        case .deadlineExceeded, .connect, .dns, .tls, .authentication, .permission, .readOnly, .loading, .masterDown, .clusterDown,
            .busy, .outOfMemory, .misconfigured, .noReplicas, .maxClients, .wireProtocol, .desynchronised, .noSentinel, .unknownMaster,
            .unsafeEviction:
            true
        default:
            false
        }
    }

    /// Whether an error comes of a server that answers, and refuses to write or to run our script.
    var isRefusalOfWrites: Bool {
        switch self {
        case .permission, .outOfMemory, .misconfigured, .noReplicas, .unsafeEviction: true
        default: false
        }
    }
}
