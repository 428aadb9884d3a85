import HeadgateJSON
package import Headgate
import HeadgatePolicy

extension Console {
    /// How a result is written.
    package enum Format: Sendable {
        /// In words.
        case text
        /// As `POST /v1/decisions` answers.
        case json
    }

    /// `headgate check`: one decision, charged unless it is a peek.
    ///
    /// Concurrency limits are only looked at: the command has no end of a request to release at.
    ///
    /// - Throws: ``CommandError`` when there is no decision.
    package func check(_ request: LimitRequest, effect: Charge.Effect, format: Format) async throws(CommandError) -> CommandResult {
        let policy = try requiredPolicy()
        let decision = try await withBackend { backend in
            let limiter = Limiter(store: backend.store, rules: policy)
            return try await limiter.decide([RequestGroup([request], effect: effect)], slots: .observe).first
        }
        guard let decision else { throw CommandError(message: "the store gave no verdict", ending: .backend) }
        let text =
            switch format {
            case .text: ([decision.headline] + decision.limits.map { "  \($0.line)" }).joined(separator: "\n")
            case .json: String(decoding: JSONValue(decision).bytes, as: UTF8.self)
            }
        return CommandResult(text: text, ending: decision.ending)
    }
}

extension Decision {
    /// How a command that made this decision ends.
    var ending: CommandResult.Ending {
        switch outcome {
        case _ where isDegraded: .backend
        case .allowed: .done
        case .denied: .denied
        case .unavailable: .backend
        }
    }

    /// The decision in one line.
    var headline: String {
        if let degradation { return "\(degradedVerdict): Redis gave no answer (\(degradation.code))" }
        switch outcome {
        case .allowed: return bindingLimit.map { "allowed: \($0.id) is closest to its end" } ?? "allowed: nothing limits it"
        case .denied, .unavailable:
            let limit = bindingLimit?.id ?? "a limit"
            return retryAfter.map { "denied: \(limit) has room \($0.inWords)" } ?? "denied: \(limit) never has room for this"
        }
    }
}

extension Decision {
    /// What became of a request that Redis did not judge.
    private var degradedVerdict: String {
        switch (outcome, degradedBy) {
        case (.allowed, .local): "allowed by a local share"
        case (.allowed, _): "allowed without being counted"
        case (.denied, .local): isPermanent ? "denied for good" : "denied by a local share"
        case (.denied, _): "denied for good"
        case (.unavailable, _): "refused"
        }
    }
}

extension LimitStatus {
    /// The limit in one line.
    var line: String {
        guard let limit, let algorithm else { return "\(id): unlimited" }
        let quota = window.map { "\(limit) per \($0.readable)" } ?? "\(limit) at once"
        guard let remaining else { return "\(id): \(quota), \(algorithm.rawValue), not judged" }
        let whole = share.map { "the share of \($0) in \(quota)" } ?? quota
        var text = "\(id): \(remaining) left of \(whole), \(algorithm.rawValue)"
        if remaining < share ?? limit {
            text += nextUnit < full ? ", more \(nextUnit.inWords), all \(full.inWords)" : ", all \(full.inWords)"
        }
        switch verdict {
        case .denied: text += "; denies" + (retryAfter.map { ", room \($0.inWords)" } ?? " for ever")
        case .wouldDeny: text += "; would deny if it were not a shadow"
        case .allowed, .unlimited, .unknown: break
        }
        return text
    }
}
