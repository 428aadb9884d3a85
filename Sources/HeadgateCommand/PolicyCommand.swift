import ArgumentParser
import HeadgateServer

/// `headgate policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Work on policy files.",
        subcommands: [Validate.self]
    )

    /// `headgate policy validate`.
    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a policy file as a whole.",
            discussion: """
                Prints each problem with its file, line, column and field, and exits 2; exits 0 when there is none.

                EXAMPLE
                  headgate policy validate policies/tensorone.yaml
                """
        )

        @Argument(help: ArgumentHelp("The policy.", valueName: "file"))
        var file: String

        func run() throws {
            try Console.validate(file).finish()
        }
    }
}
