import ArgumentParser
import Headgate
import HeadgateServer

/// `headgate check`.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Make one decision, and charge it.",
        discussion: """
            Exits 0 when the request is allowed, 1 when a limit denies it, 3 when Redis gives no answer. Concurrency limits are only
            looked at.

            EXAMPLES
              headgate check --policy p.yaml --redis redis://127.0.0.1:6379 --account a1 --tier pro POST /v2/clusters
              headgate check --policy p.yaml --account a1 --tier free --cost 5 --peek --json GET /v2/clusters
            """
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var options: RequestOptions

    @Flag(help: "Look, and charge nothing.")
    var peek = false

    @Flag(help: "Print the decision as POST /v1/decisions answers it.")
    var json = false

    func run() async throws {
        let console = try await store.console()
        try await console.check(try options.request(), effect: peek ? .observe : .take, format: json ? .json : .text).finish()
    }
}
