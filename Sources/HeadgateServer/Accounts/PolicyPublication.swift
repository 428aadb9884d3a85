import HeadgateAccounts
import ServiceLifecycle

/// Notes the served policy's text in Redis once, so that commands without a policy check by it.
struct PolicyPublication: Service {
    let store: AccountStore
    let text: String

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                if (try? await store.publish(policy: text)) != nil { break }
                try? await Task.sleep(for: .seconds(1))
            }
        }
        try? await gracefulShutdown()
    }
}
