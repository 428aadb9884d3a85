import ArgumentParser
import HeadgateServer

/// `headgate explain`.
struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say which rules match a request and why, and what the decision would be.",
        discussion: """
            Shows how each limit was made, the keys and what stands there now. Charges nothing.

            EXAMPLE
              headgate explain --policy p.yaml --account a1 --tier pro --permission read-only POST /v2/clusters
            """
    )

    @OptionGroup var store: StoreOptions
    @OptionGroup var options: RequestOptions

    func run() async throws {
        try await store.console().explain(try options.request()).finish()
    }
}
