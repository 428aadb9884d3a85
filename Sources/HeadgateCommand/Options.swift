import ArgumentParser
import Configuration
import Foundation
import Headgate
import HeadgateServer

/// Which policy, and where counts live.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The policy. Also HEADGATE_POLICY.", valueName: "file"))
    var policy: String?

    @Option(help: ArgumentHelp("The Redis that holds the counts. Also HEADGATE_REDIS. (default: redis://127.0.0.1:6379)", valueName: "url"))
    var redis: String?

    func console() async throws -> Console {
        var arguments: [String: ConfigValue] = [:]
        arguments.set("policy", policy)
        arguments.set("redis", redis)
        return try Console(
            try await ConfigReader.settings(arguments: arguments, environment: ProcessInfo.processInfo.environment, file: nil)
        )
    }
}

/// Who asks.
struct SubjectOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Whose counts.", valueName: "id"))
    var account: String

    @Option(help: ArgumentHelp("The account's plan. (default: the policy's)", valueName: "name"))
    var tier: String?

    @Option(name: .customLong("permission"), help: ArgumentHelp("A permission of the API key; may be repeated.", valueName: "name"))
    var permissions: [String] = []

    @Option(
        name: .customLong("override"),
        help: ArgumentHelp("A limit of the account's own, such as read=500/hour; may be repeated.", valueName: "limit=rate")
    )
    var overrides: [String] = []

    func subject() throws -> Subject {
        try Subject.options(account: account, tier: tier, permissions: permissions, overrides: overrides)
    }
}

/// What is asked for.
struct RequestOptions: ParsableArguments {
    @OptionGroup var subject: SubjectOptions

    @Option(help: ArgumentHelp("Units that the request takes. (default: as the policy says of the endpoint)", valueName: "units"))
    var cost: Int64?

    @Option(help: ArgumentHelp("A priority of the policy.", valueName: "name"))
    var priority: String = "normal"

    @Argument(help: "The HTTP method.")
    var method: String

    @Argument(help: "The path, as a client sends it.")
    var path: String

    func request() throws -> LimitRequest {
        LimitRequest(
            subject: try subject.subject(),
            endpoint: Endpoint(method: method.uppercased(), path: path),
            cost: cost.map { .units($0) } ?? .ofEndpoint,
            priority: Priority(priority)
        )
    }
}

extension [String: ConfigValue] {
    /// Sets a key that the command line gave.
    mutating func set(_ key: String, _ text: String?) {
        if let text { self[key] = ConfigValue(.string(text), isSecret: key == "redis") }
    }
}
