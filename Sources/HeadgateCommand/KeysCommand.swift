import ArgumentParser
import HeadgateAccounts
import HeadgateServer

/// `headgate keys`.
struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Make, list and revoke API keys.",
        discussion: """
            EXAMPLES
              headgate keys create --account acme --permission boost --name 'migration job'
              headgate keys list --account acme
              headgate keys revoke k3j2h1g4f5d6s7a
            """,
        subcommands: [Create.self, List.self, Revoke.self]
    )

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make a key, and print it this once.")

        @Option(help: ArgumentHelp("Whose key.", valueName: "name"))
        var account: String

        @Option(name: .customLong("permission"), help: ArgumentHelp("What it may do; may be repeated.", valueName: "name"))
        var permissions: [String] = []

        @Option(help: "What its holder calls it.")
        var name: String = ""

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in
                AccountOutput(
                    try await store.createKey(for: account, permissions: Set(permissions), name: name, by: options.actor)
                )
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show an account's keys, without their secrets.")

        @Option(help: ArgumentHelp("Whose keys.", valueName: "name"))
        var account: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in AccountOutput(try await store.keys(of: account)) }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a key: within a second it opens nothing.")

        @Argument(help: "The key's id, which is the middle part of the key.")
        var key: String

        @OptionGroup var options: AccountOptions

        func run() async throws {
            try await options.run { store in AccountOutput(try await store.revokeKey(key, by: options.actor)) }
        }
    }
}
