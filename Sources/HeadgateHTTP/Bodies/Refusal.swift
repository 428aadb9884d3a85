import Headgate
import HTTPTypes

/// Why a request does not go on, before it is put into a style's words.
enum Refusal {
    /// A limit denies it.
    case denied(Decision)
    /// The store gave no answer.
    case unavailable
    /// It could not be judged, and asking again changes nothing.
    case failed(Failure)

    var status: HTTPResponse.Status {
        switch self {
        case .denied: .tooManyRequests
        case .unavailable: .serviceUnavailable
        case .failed(let failure): failure.status
        }
    }

    /// The sentence for people, the same in the flat and the problem style.
    var sentence: String {
        switch self {
        case .denied(let decision):
            if let seconds = decision.retryAfterSeconds {
                "\(Refusal.heldBack(decision).map { "\($0)." } ?? "Rate limit exceeded.") \(Refusal.advice(seconds))"
            } else {
                "Rate limit exceeded. \(Refusal.neverFits)."
            }
        case .unavailable: "\(Refusal.limiterAway). \(Refusal.advice(Decision.unavailableRetrySeconds))"
        case .failed(let failure): failure.message
        }
    }

    /// The field of the request that is at fault.
    var field: String? {
        guard case .failed(let failure) = self else { return nil }
        return failure.field
    }

    /// What is said of a request that would fit if its priority were higher.
    static func heldBack(_ decision: Decision) -> String? {
        guard let binding = decision.bindingLimit, binding.isHeldBack else { return nil }
        return "Rate limit exceeded for this priority: the last \(binding.reserve) are kept for higher ones"
    }

    static let neverFits = "The request exceeds what the limit can ever allow"
    static let limiterAway = "Rate limiting is temporarily unavailable"

    private static func advice(_ seconds: Int64) -> String {
        "Please try again in \(seconds) \(seconds == 1 ? "second" : "seconds")."
    }
}
