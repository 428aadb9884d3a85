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

    @Option(help: ArgumentHelp("A file with what services prove themselves with on other listeners than loopback ones.", valueName: "file"))
    var serviceTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Which proxies are believed when they forward: a number of hops, or addresses and ranges such as 10.0.0.0/8,::1. (default: nobody)",
            valueName: "proxies"
        )
    )
    var trustedProxies: String?

    @Option(help: ArgumentHelp("By how many leading bits IPv6 clients are told apart. (default: 64)", valueName: "bits"))
    var ipv6Prefix: String?

    @Option(help: ArgumentHelp("Be a gateway: forward allowed requests there.", valueName: "url"))
    var upstream: String?

    @Option(help: ArgumentHelp("How long the upstream may take to begin its answer. (default: 60s)", valueName: "time"))
    var upstreamTimeout: String?

    @Option(
        help: ArgumentHelp("A path of the upstream that answers below 500 while it is well. (default: only connect)", valueName: "path")
    )
    var upstreamHealth: String?

    @Option(help: ArgumentHelp("Where accounts and keys live. (default: where counts do)", valueName: "url"))
    var accountsRedis: String?

    @Option(help: ArgumentHelp("Where operators' requests are taken, or none. (default: 127.0.0.1:8081)", valueName: "host:port"))
    var adminListen: String?

    @Option(help: ArgumentHelp("A file with the operators' token.", valueName: "file"))
    var adminTokenFile: String?

    @Option(help: ArgumentHelp("A file with the token of those who may only look.", valueName: "file"))
    var adminReadTokenFile: String?

    @Option(help: ArgumentHelp("Where events are sent.", valueName: "url"))
    var webhookUrl: String?

    @Option(help: ArgumentHelp("A file with what webhooks are signed with.", valueName: "file"))
    var webhookSecretFile: String?

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
        // Written at once, whatever the standard output is: scripts wait for these lines.
        try await RateLimitServer.serve(configuration, logger: logger) { address, counts in
            FileHandle.standardOutput.write(Data("listening on http://\(address)\ncounting in \(counts)\n".utf8))
        } onAdminListening: { address in
            FileHandle.standardOutput.write(Data("operators on http://\(address)\n".utf8))
        }
    }

    private var arguments: [String: ConfigValue] {
        var arguments: [String: ConfigValue] = [:]
        arguments.set("policy", policy)
        arguments.set("listen", listen)
        arguments.set("redis", redis)
        arguments.set("service_token_file", serviceTokenFile)
        arguments.set("trusted_proxies", trustedProxies)
        arguments.set("ipv6_prefix", ipv6Prefix)
        arguments.set("upstream", upstream)
        arguments.set("upstream_timeout", upstreamTimeout)
        arguments.set("upstream_health", upstreamHealth)
        arguments.set("accounts_redis", accountsRedis)
        arguments.set("admin_listen", adminListen)
        arguments.set("admin_token_file", adminTokenFile)
        arguments.set("admin_read_token_file", adminReadTokenFile)
        arguments.set("webhook_url", webhookUrl)
        arguments.set("webhook_secret_file", webhookSecretFile)
        arguments.set("deadline", deadline)
        arguments.set("drain_delay", drainDelay)
        arguments.set("log_level", logLevel)
        if trustIdentityHeaders { arguments["trust_identity_headers"] = ConfigValue(.bool(true), isSecret: false) }
        return arguments
    }
}
