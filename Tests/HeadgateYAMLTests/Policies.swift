import Foundation
import Headgate
import HeadgatePolicy
import HeadgateYAML

/// The policy files of this repository.
enum Policies {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("policies")

    static func load(_ name: String) throws -> Policy {
        try PolicyFile.load(folder.appendingPathComponent(name).path)
    }
}

extension Policy {
    /// The limits of a request as `id units/seconds`, `id slots` or `id unlimited`.
    func short(
        _ method: String,
        _ path: String,
        tier: String?,
        permissions: Set<String> = [],
        overrides: [String: LimitOverride] = [:],
        priority: Priority = .normal
    ) throws -> [String] {
        var subject = try Subject.account("acme", tier: tier, permissions: permissions)
        subject.overrides = overrides
        let request = LimitRequest(subject: subject, endpoint: Endpoint(method: method, path: path), priority: priority)
        return try limits(for: request).map { applied in
            guard let algorithm = applied.charge?.limit.algorithm else { return "\(applied.id) unlimited" }
            return "\(applied.id) \(algorithm.capacity)\(algorithm.window.map { "/\($0.components.seconds)" } ?? "")"
        }
    }
}
