import ArgumentParser
import HeadgateServer

/// `headgate inspect`.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show an account's live state in words.",
        discussion: """
            Reads every key of the account. With a policy it also shows what is left of each limit. Charges nothing.

            EXAMPLES
              headgate inspect --redis redis://127.0.0.1:6379 --account a1
              headgate inspect --policy p.yaml --account a1 --tier pro --json
            """
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var subject: SubjectOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await store.console().inspect(try subject.subject(), format: json ? .json : .text).finish()
    }
}
