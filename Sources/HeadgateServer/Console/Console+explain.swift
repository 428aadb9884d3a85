package import Headgate
import HeadgatePolicy
import HeadgateRedis

extension Console {
    /// `headgate explain`: which rules match a request and why, what stands in Redis, and what the decision would be.
    ///
    /// - Throws: ``CommandError`` when the request is wrong or Redis gives no answer.
    package func explain(_ request: LimitRequest) async throws(CommandError) -> CommandResult {
        let policy = try requiredPolicy()
        let explanation: Explanation
        do throws(LimiterError) {
            explanation = try policy.explain(request)
        } catch {
            throw CommandError(error)
        }
        return try await withBackend { backend in
            let limiter = Limiter(store: backend.store, rules: policy)
            var lines = [explanation.description]
            if let redis = backend.redis {
                lines.append("state in \(backend.place)")
                let now = try await redis.time()
                for charge in explanation.limits.compactMap(\.applied.charge) {
                    let key = try redis.keySpace().key(charge.identity, charge.limit)
                    lines.append("  \(key)")
                    lines.append("    \(try await StoredCount.read(key, of: redis, at: now)?.words ?? "absent: nothing is used")")
                }
            }
            let group = RequestGroup([request], effect: .observe)
            guard let decision = try await limiter.decide([group]).first else {
                throw CommandError(message: "the store gave no verdict", ending: .backend)
            }
            lines.append("decision, if it were made now")
            lines.append("  \(decision.headline)")
            lines += decision.limits.map { "    \($0.line)" }
            return CommandResult(text: lines.joined(separator: "\n"), ending: decision.isDegraded ? .backend : .done)
        }
    }
}
