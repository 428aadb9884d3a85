internal import Headgate

/// What a decision is counted as: one field of a usage hash.
///
/// Its text is `<outcome> <class> [<endpoint>] [by <limit that denied>]`, as in `allowed read` and
/// `denied write POST/clusters by POST/clusters`; ids hold no blanks.
struct UsageField: Sendable, Hashable {
    /// How the request fared.
    enum Outcome: String, Sendable, Hashable {
        case allowed
        case denied
        /// Judged without the store, and not denied.
        case degraded
    }

    var outcome: Outcome
    /// The id of the operation class; `-` without one.
    var operationClass: String
    /// The id of the endpoint's own limit, if it has one.
    var endpoint: String?
    /// The id of the limit that denied.
    var limit: String?

    /// What stands for the class of a decision that has none.
    static let noClass = "-"
}

extension UsageField {
    /// What a decision is counted as.
    init(_ decision: Decision) {
        outcome = decision.outcome == .denied ? .denied : decision.isDegraded ? .degraded : .allowed
        operationClass = decision.limits.first { $0.role == .operationClass }?.id ?? UsageField.noClass
        endpoint = decision.limits.first { $0.role == .endpoint }?.id
        limit = outcome == .denied ? decision.bindingLimit?.id : nil
    }

    /// Reads a field's text; nil when it is not one of ours.
    init?(_ text: String) {
        var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.allSatisfy({ !$0.isEmpty }), words.count >= 2, let outcome = Outcome(rawValue: words.removeFirst()) else { return nil }
        if outcome == .denied, words.count >= 3, words[words.count - 2] == "by" {
            limit = words.removeLast()
            words.removeLast()
        }
        guard words.count <= 2 else { return nil }
        self.outcome = outcome
        operationClass = words[0]
        endpoint = words.count == 2 ? words[1] : nil
    }

    /// The field's text.
    var text: String {
        var text = "\(outcome.rawValue) \(operationClass)"
        if let endpoint { text += " \(endpoint)" }
        if let limit { text += " by \(limit)" }
        return text
    }
}
