package import Headgate
import HeadgateAccounts
package import HeadgateJSON
import HeadgatePolicy

extension Provider {
    /// What is left of a subject's limits, as `GET /auth/rate-limits` answers: each class of its plan under its public name.
    ///
    /// With `endpoints` among what is to be included, the endpoint limits in use, too.
    package func overview(of subject: Subject, include: [String]) async throws -> JSONValue {
        let parts = include.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        if let unknown = parts.first(where: { $0 != "endpoints" }) {
            throw AccountError(.invalid, "expected endpoints, found '\(unknown.prefix(64))'", field: "include")
        }
        let includesEndpoints = !parts.isEmpty
        let applied = try policy.limits(of: subject).filter { limit in
            switch limit.role {
            case .operationClass, .concurrency: true
            case .endpoint, .additional, .direct: includesEndpoints
            }
        }
        let decision = try await limiter.peek(applied: applied)
        if let error = decision.degradation { throw error }
        // Without anything that counts there is nothing to ask the store for, and nothing that has a time.
        let time = decision.time ?? StoreTime(microseconds: 0)
        func members(_ roles: Set<AppliedLimit.Role>, _ isShown: (LimitStatus) -> Bool) -> [JSONValue.Member] {
            decision.limits.filter { roles.contains($0.role) && isShown($0) }.map {
                JSONValue.Member(name: $0.name, value: $0.overview(at: time))
            }
        }
        // A limit that a key's permission counts apart has its window behind its id: `write@1d`.
        let order = try policy.shownClasses(inTier: subject.tier)
        let classes = decision.limits.filter { $0.role == .operationClass }.sorted { left, right in
            func place(_ status: LimitStatus) -> Int {
                order.firstIndex { status.id == $0 || status.id.hasPrefix("\($0)@") } ?? order.count
            }
            return place(left) < place(right)
        }.map { JSONValue.Member(name: $0.name, value: $0.overview(at: time)) }
        var body = [JSONValue.Member(name: "limits", value: .object(classes + members([.concurrency]) { _ in true }))]
        if includesEndpoints {
            let inUse = members([.endpoint, .additional]) { status in (status.remaining ?? 0) < (status.limit ?? 0) }
            body.append(JSONValue.Member(name: "endpoints", value: .object(inUse)))
        }
        return .object(body)
    }
}

extension LimitStatus {
    /// `{"limit":1000,"remaining":847,"reset_at":"2024-01-15T11:00:00Z"}`, or `{"unlimited":true}`.
    fileprivate func overview(at time: StoreTime) -> JSONValue {
        guard let limit, let remaining else { return ["unlimited": .boolean(true)] }
        return ["limit": .integer(limit), "remaining": .integer(remaining), "reset_at": .string((time + nextUnit).rfc3339)]
    }
}
