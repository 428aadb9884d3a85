import ArgumentParser
import Foundation
import Headgate
import HeadgateAccounts
import HeadgateServer

/// Where accounts live, and how results are written.
struct AccountOptions: ParsableArguments {
    @OptionGroup var store: StoreOptions

    @Flag(help: "Print JSON.")
    var json = false

    /// Does something with accounts and prints what came of it.
    func run(_ body: @Sendable (AccountStore) async throws -> AccountOutput) async throws {
        try await store.console().accounts(json ? .json : .text, body).finish()
    }

    /// Who the audit says it was.
    var actor: Actor { Actor("cli \(ProcessInfo.processInfo.environment["USER"] ?? NSUserName())") }
}
