import Headgate

/// Judges by limits that are given at the call.
func send(as user: String, _ limiter: Limiter) async throws -> String {
    let perMinute = try Limit("messages", .slidingWindowLog(20, per: .seconds(60)))
    let decision = try await limiter.acquire(for: Identity(.account, user), limits: [perMinute])
    guard decision.isAllowed else { return "Try again in \(decision.retryAfter ?? .zero)" }
    return "Sent"
}
