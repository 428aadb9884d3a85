public import ArgumentParser
public import HeadgateAccounts
import HeadgateServer

/// `headgate increases`.
struct IncreasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "increases",
        abstract: "See, grant and refuse what customers ask for with POST /auth/limit-increase.",
        discussion: """
            EXAMPLES
              headgate increases list --status open
              headgate increases grant i4k2... --override read=5000/hour --answer 'until the launch is over'
              headgate increases refuse i4k2... --answer 'please upgrade'
            """,
        subcommands: [List.self, Grant.self, Refuse.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show requests for more, oldest first.")

        @Option(help: "Only those that are open, granted or refused.")
        var status: LimitIncrease.Status?

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in AccountOutput(try await store.increases(status)) }
        }
    }

    struct Grant: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give the account limits of its own.")

        @Argument(help: "The request's id.")
        var id: String

        @Option(
            name: .customLong("override"),
            help: ArgumentHelp("A limit, such as read=5000/hour; may be repeated.", valueName: "limit=rate")
        )
        var overrides: [String]

        @Option(help: "What the customer is told.")
        var answer: String = ""

        @OptionGroup var options: AccountOptions

        func run() async throws {
            let overrides = try AccountOverride.options(overrides)
            try await options.run { store in
                AccountOutput([try await store.grantIncrease(id, overrides: overrides, answer: answer, by: options.actor)])
            }
        }
    }

    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Refuse a request.")

        @Argument(help: "The request's id.")
        var id: String

        @Option(help: "What the customer is told.")
        var answer: String = ""

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                AccountOutput([try await store.refuseIncrease(id, answer: answer, by: options.actor)])
            }
        }
    }
}

extension LimitIncrease.Status: ExpressibleByArgument {}
