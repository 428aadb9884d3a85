import ArgumentParser
import HeadgateAccounts
import HeadgateServer

/// `headgate override`.
struct OverrideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "Give an account limits of its own in place of its plan's.",
        discussion: """
            EXAMPLES
              headgate override set acme read 5000/hour --reason 'load test' --until 7d
              headgate override set acme POST/clusters x2
              headgate override set acme concurrency '10 slots'
              headgate override clear acme read
            """,
        subcommands: [Set.self, Clear.self]
    )

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Set a limit of the account's own.")

        @Argument(help: "The account's name.")
        var account: String

        @Argument(help: "The limit's id: a class, an endpoint such as POST/clusters, or concurrency.")
        var limit: String

        @Argument(help: "A rate such as 5000/hour, unlimited, x2, or '10 slots'.")
        var value: String

        @Option(help: "Why.")
        var reason: String = ""

        @Option(
            help: ArgumentHelp("Until when: 2026-12-01T00:00:00Z, or a time from now such as 7d. (default: for good)", valueName: "time")
        )
        var until: String?

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                let now = try await store.time()
                let override = try AccountOverride(value, until: until, reason: reason, now: now)
                return AccountOutput(try await store.setOverride(of: account, limit: limit, to: override, by: options.actor), at: now)
            }
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let the plan's limit hold again.")

        @Argument(help: "The account's name.")
        var account: String

        @Argument(help: "The limit's id.")
        var limit: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                let changed = try await store.clearOverride(of: account, limit: limit, by: options.actor)
                return AccountOutput(changed, at: try await store.time())
            }
        }
    }
}
