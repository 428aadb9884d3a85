import ArgumentParser
import HeadgateAccounts
import HeadgateServer

/// `headgate accounts`.
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts",
        abstract: "Create accounts, put them into plans, and look at them.",
        discussion: """
            Every change is seen by all instances within a second. Plans and limits are checked by --policy, or else by the policy that a
            server of this Redis serves.

            EXAMPLES
              headgate accounts create acme --tier pro
              headgate accounts create big --tier enterprise --override requests=5000/minute --override 'concurrency=50 slots'
              headgate accounts set-tier acme enterprise
            """,
        subcommands: [Create.self, List.self, Show.self, SetTier.self, Audit.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Create an account.")

        @Argument(help: "The account's name.")
        var account: String

        @Option(help: ArgumentHelp("Its plan. (default: the policy's)", valueName: "name"))
        var tier: String?

        @Option(
            name: .customLong("override"),
            help: ArgumentHelp("A limit of its own, such as read=500/hour or read=x2; may be repeated.", valueName: "limit=rate")
        )
        var overrides: [String] = []

        @OptionGroup var options: AccountOptions

        func run() async throws {
            let overrides = try AccountOverride.options(overrides)
            try await options.run { store in
                let created = try await store.create(account, tier: tier, overrides: overrides, by: options.actor)
                return AccountOutput(created, at: try await store.time())
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show all accounts.")

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                AccountOutput(try await store.accounts(atLeast: .max).accounts, at: try await store.time())
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one account.")

        @Argument(help: "The account's name.")
        var account: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                guard let found = try await store.account(account) else {
                    throw AccountError(.notFound, "there is no account '\(account)'")
                }
                return AccountOutput(found, at: try await store.time())
            }
        }
    }

    struct SetTier: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-tier",
            abstract: "Put an account into another plan; what it has used is kept."
        )

        @Argument(help: "The account's name.")
        var account: String

        @Argument(help: "The plan.")
        var tier: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                let changed = try await store.setTier(of: account, to: tier, by: options.actor)
                return AccountOutput(changed, at: try await store.time())
            }
        }
    }

    struct Audit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what was done to an account, newest first.")

        @Argument(help: "The account's name.")
        var account: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in AccountOutput(try await store.audit(of: account, atMost: 1_000)) }
        }
    }
}
