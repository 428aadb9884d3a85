import HTTPTypes

/// What a provider offers to its customers beside its API, served under the policy's base path and at the root.
enum CustomerEndpoint: String, CaseIterable {
    /// What is left of the caller's limits.
    case limits = "/auth/rate-limits"
    /// A temporary boost of the caller's limits.
    case boost = "/auth/temporary-boost"
    /// A request for more than the plan gives.
    case increase = "/auth/limit-increase"
    /// How much was used.
    case usage = "/analytics/api-usage"

    /// The methods that it answers.
    var methods: [HTTPRequest.Method] {
        switch self {
        case .limits, .usage: [.get, .head]
        case .boost, .increase: [.post]
        }
    }
}
