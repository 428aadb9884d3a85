import ArgumentParser
import HeadgateAccounts
import HeadgateServer

/// `headgate boost`.
struct BoostCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "boost",
        abstract: "Multiply an account's limits for a time.",
        discussion: """
            EXAMPLES
              headgate boost grant acme --multiplier 2 --duration 24h --reason 'Data migration'
              headgate boost end acme b7f2k1m9q3x5z8c0
            """,
        subcommands: [Grant.self, End.self]
    )

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Boost an account, without the policy's caps.")

        @Argument(help: "The account's name.")
        var account: String

        @Option(help: ArgumentHelp("What limits are multiplied with.", valueName: "number"))
        var multiplier: String

        @Option(help: ArgumentHelp("For how long, such as 24h.", valueName: "time"))
        var duration: String

        @Option(help: "Why.")
        var reason: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            let request = try BoostRequest(multiplier: multiplier, duration: duration, reason: reason)
            try await options.run { store in
                let boost = try await store.grantBoost(request, for: account, by: options.actor)
                guard let boosted = try await store.account(account) else { throw AccountError(.notFound, "the account is gone") }
                return AccountOutput(boost, of: boosted, at: try await store.time())
            }
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a boost now.")

        @Argument(help: "The account's name.")
        var account: String

        @Argument(help: "The boost's id.")
        var boost: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                AccountOutput(try await store.endBoost(boost, of: account, by: options.actor), at: try await store.time())
            }
        }
    }
}
