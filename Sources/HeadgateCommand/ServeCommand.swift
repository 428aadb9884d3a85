import ArgumentParser
import Configuration
import Foundation
import HeadgateServer
import Logging

/// `headgate serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve decisions over HTTP.",
        discussion: """
            Each option is also an environment variable, HEADGATE_ and the option's name, and a key of the configuration file. The
            command line counts before the environment, the environment before the file.

            EXAMPLES
              headgate serve --policy policies/tensorone.yaml
              headgate serve --policy p.yaml --redis redis://:secret@10.0.0.7:6379/0 --listen 0.0.0.0:8080 --trust-identity-headers
              HEADGATE_POLICY=p.yaml HEADGATE_REDIS=memory headgate serve --listen 127.0.0.1:0
            """
    )

    @Option(help: ArgumentHelp("The policy; required.", valueName: "file"))
    var policy: String?

    @Option(help: ArgumentHelp("Where to listen; port 0 takes a free one. (default: 127.0.0.1:8080)", valueName: "host:port"))
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "Where counts live: a Redis (redis://[user:password@]host:port/db, unix:///path), embedded, a redis-server of its own, or "
                + "memory. (default: embedded)",
            valueName: "url|embedded|memory"
        )
    )
    var redis: String?

    @Option(help: ArgumentHelp("A YAML or JSON file with these settings.", valueName: "file"))
    var config: String?

    @Flag(help: "Believe all callers that say on whose behalf they ask, not those of this machine alone: a proxy in front sees to it.")
    var trustIdentityHeaders = false

    @Option(help: ArgumentHelp("The time that a decision may take. (default: 50ms)", valueName: "time"))
    var deadline: String?

    @Option(help: ArgumentHelp("How long to go on serving after readiness was turned off at shutdown. (default: 500ms)", valueName: "time"))
    var drainDelay: String?

    @Option(help: ArgumentHelp("trace, debug, info, notice, warning, error or critical. (default: info)", valueName: "level"))
    var logLevel: String?

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let reader = try await ConfigReader.settings(
            arguments: arguments,
            environment: environment,
            file: config ?? environment["HEADGATE_CONFIG"]
        )
        let configuration = try ServerConfiguration(reader)
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "headgate")
        logger.logLevel = configuration.logLevel
        try await RateLimitServer.serve(configuration, logger: logger) { address, counts in
            // Written at once, whatever the standard output is: scripts wait for the first line.
            FileHandle.standardOutput.write(Data("listening on http://\(address)\ncounting in \(counts)\n".utf8))
        }
    }

    private var arguments: [String: ConfigValue] {
        var arguments: [String: ConfigValue] = [:]
        arguments.set("policy", policy)
        arguments.set("listen", listen)
        arguments.set("redis", redis)
        arguments.set("deadline", deadline)
        arguments.set("drain_delay", drainDelay)
        arguments.set("log_level", logLevel)
        if trustIdentityHeaders { arguments["trust_identity_headers"] = ConfigValue(.bool(true), isSecret: false) }
        return arguments
    }
}
