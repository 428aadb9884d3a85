package import Configuration
package import Headgate
package import HeadgatePolicy
import HeadgateYAML
import Logging
import ServiceLifecycle

/// The commands that ask and look, apart from their command line.
package struct Console: Sendable {
    /// The policy; `nil` where the command works without one and none was given.
    package let policy: Policy?

    /// Where counts live.
    package let store: StoreChoice

    /// Creates a console from the settings `policy` and `redis`, as `headgate serve` reads them.
    ///
    /// - Throws: ``CommandError`` when a setting or the policy is wrong.
    package init(_ reader: ConfigReader) throws(CommandError) {
        do {
            policy = try reader.string(forKey: "policy").map { try PolicyFile.load($0) }
            store = try StoreChoice(reader.string(forKey: "redis", isSecret: true) ?? "redis://127.0.0.1:6379")
        } catch {
            throw CommandError(message: "\(error)", ending: .usage)
        }
    }

    package init(policy: Policy?, store: StoreChoice) {
        self.policy = policy
        self.store = store
    }

    /// The policy, of a command that does not work without one.
    func requiredPolicy() throws(CommandError) -> Policy {
        if let policy { return policy }
        throw CommandError(message: "no policy is given; expected --policy FILE or HEADGATE_POLICY", ending: .usage)
    }

    /// Runs a body while the store answers.
    ///
    /// The deadline is that of somebody at a terminal, since the first call waits for the connection.
    func withBackend<Result: Sendable>(_ body: @Sendable (Backend) async throws -> Result) async throws(CommandError) -> Result {
        let logger = Logger(label: "headgate", factory: { _ in SwiftLogNoOpLogHandler() })
        do {
            let backend = try await Backend.open(store, deadline: .seconds(2), logger: logger)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                for service in backend.services { group.addTask { try await service.run() } }
                defer { group.cancelAll() }
                return try await body(backend)
            }
        } catch let error as CommandError {
            throw error
        } catch let error as LimiterError {
            throw CommandError(error)
        } catch {
            throw CommandError(message: "\(error)", ending: .usage)
        }
    }
}

extension CommandError {
    /// An error of the limiter: the request's own fault, or the store's.
    package init(_ error: LimiterError) {
        switch error.code {
        case .badRequest, .invalidPath, .invalidLimit, .unknownTier, .customLimitMissing, .noRules:
            self.init(message: error.message, ending: .usage)
        default:
            self.init(message: "Redis gave no answer: \(error.message)", ending: .backend)
        }
    }
}
