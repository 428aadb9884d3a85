// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target of this package is compiled with.
let swiftSettings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// The C target is plain C99; `-Wall -Wextra` and friends are passed by `make fuzz` and `make lint`, since a manifest
/// that uses unsafe flags cannot be depended on.
let cSettings: [CSetting] = [
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
    .enableWarning("strict-prototypes"),
    .enableWarning("write-strings"),
]

/// Products of other packages, by short names.
extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let configuration = product(name: "Configuration", package: "swift-configuration")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTesting = product(name: "HummingbirdTesting", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let metricsTestKit = product(name: "MetricsTestKit", package: "swift-metrics")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioEmbedded = product(name: "NIOEmbedded", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let nioTLS = product(name: "NIOTLS", package: "swift-nio")
    static let rawStructuredFieldValues = product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let tracing = product(name: "Tracing", package: "swift-distributed-tracing")
    static let unixSignals = product(name: "UnixSignals", package: "swift-service-lifecycle")
    static let yams = product(name: "Yams", package: "Yams")
}

let package = Package(
    name: "headgate",
    platforms: [.macOS(.v15)],
    products: [
        // The library. Linking these builds SwiftNIO, Crypto and the observability API packages, never an HTTP server.
        .library(name: "Headgate", targets: ["Headgate"]),
        .library(name: "HeadgatePolicy", targets: ["HeadgatePolicy"]),
        .library(name: "HeadgateYAML", targets: ["HeadgateYAML"]),
        .library(name: "HeadgateRedis", targets: ["HeadgateRedis"]),
        .library(name: "HeadgateMetrics", targets: ["HeadgateMetrics"]),
        .library(name: "HeadgateHTTP", targets: ["HeadgateHTTP"]),
        .library(name: "HeadgateHummingbird", targets: ["HeadgateHummingbird"]),
        .library(name: "HeadgateAccounts", targets: ["HeadgateAccounts"]),
        .library(name: "HeadgateUsage", targets: ["HeadgateUsage"]),
        .library(name: "HeadgateEvents", targets: ["HeadgateEvents"]),
        .library(name: "HeadgateProvider", targets: ["HeadgateProvider"]),
        .library(name: "HeadgateGateway", targets: ["HeadgateGateway"]),
        .library(name: "HeadgateClient", targets: ["HeadgateClient"]),
        .library(name: "HeadgateServer", targets: ["HeadgateServer"]),
        .library(name: "HeadgateTesting", targets: ["HeadgateTesting"]),
        .executable(name: "headgate", targets: ["HeadgateCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.0.0", traits: ["JSON", "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.3.0"),
        .package(url: "https://github.com/apple/swift-http-structured-headers", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.7.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // MARK: The heart
        .target(name: "Headgate", dependencies: [.crypto], swiftSettings: swiftSettings),
        .target(name: "HeadgatePolicy", dependencies: ["Headgate"], swiftSettings: swiftSettings),
        .target(
            name: "HeadgateYAML",
            dependencies: ["Headgate", "HeadgatePolicy", .yams],
            swiftSettings: swiftSettings
        ),

        .target(name: "HeadgateJSON", dependencies: ["Headgate"], swiftSettings: swiftSettings),
        .target(name: "HeadgateMetrics", dependencies: ["Headgate", .metrics], swiftSettings: swiftSettings),

        // MARK: Redis
        .target(
            name: "CHiredis",
            cSettings: cSettings,
            // No pkgConfig: Debian's hiredis.pc carries a flag that SwiftPM rejects with a warning.
            linkerSettings: [.linkedLibrary("hiredis")]
        ),
        .target(
            name: "LuaScripts",
            path: "lua",
            sources: ["Scripts.swift"],
            resources: [
                .embedInCode("arithmetic.lua"),
                .embedInCode("clock.lua"),
                .embedInCode("concurrency.lua"),
                .embedInCode("fixed_window.lua"),
                .embedInCode("operations.lua"),
                .embedInCode("protocol.lua"),
                .embedInCode("record.lua"),
                .embedInCode("sliding_window_counter.lua"),
                .embedInCode("sliding_window_log.lua"),
                .embedInCode("token_bucket.lua"),
                .embedInCode("values.lua"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateRedis",
            dependencies: [
                "CHiredis", "Headgate", "LuaScripts", .crypto, .logging, .metrics, .nioCore, .nioPosix, .nioSSL,
                .nioTLS, .serviceLifecycle, .tracing,
            ],
            swiftSettings: swiftSettings
        ),

        // What `headgate bench` measures.
        .target(
            name: "HeadgateBench",
            dependencies: ["Headgate", "HeadgateJSON", "HeadgateRedis", .logging, .nioCore, .nioPosix, .unixSignals],
            swiftSettings: swiftSettings
        ),

        // MARK: HTTP
        .target(
            name: "HeadgateHTTP",
            dependencies: ["Headgate", "HeadgateJSON", .httpTypes, .rawStructuredFieldValues],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateHummingbird",
            dependencies: ["Headgate", "HeadgateHTTP", "HeadgatePolicy", .httpTypes, .hummingbird, .nioCore],
            swiftSettings: swiftSettings
        ),

        // MARK: A provider's page: accounts and keys, usage, events, and what customers see of them
        .target(
            name: "HeadgateAccounts",
            dependencies: [
                "Headgate", "HeadgateJSON", "HeadgatePolicy", "HeadgateRedis", "LuaScripts", .crypto, .logging, .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateUsage",
            dependencies: ["Headgate", "HeadgateRedis", .logging, .metrics, .serviceLifecycle],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateEvents",
            dependencies: [
                "Headgate", "HeadgateJSON", "HeadgateRedis", .asyncHTTPClient, .crypto, .logging, .metrics, .nioCore, .nioHTTP1,
                .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateProvider",
            dependencies: [
                "Headgate", "HeadgateAccounts", "HeadgateEvents", "HeadgateHTTP", "HeadgateHummingbird", "HeadgateJSON",
                "HeadgatePolicy", "HeadgateUsage", .httpTypes, .hummingbird, .logging, .nioCore,
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateGateway",
            dependencies: [
                "Headgate", "HeadgateHTTP", .asyncHTTPClient, .httpTypes, .hummingbird, .hummingbirdCore, .logging, .nioCore,
                .nioHTTP1, .nioPosix, .nioSSL, .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The polite caller
        .target(
            name: "HeadgateClient",
            dependencies: [
                "Headgate", "HeadgateJSON", .asyncHTTPClient, .crypto, .httpTypes, .logging, .metrics, .nioCore, .nioHTTP1,
                .rawStructuredFieldValues, .tracing,
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The server and the command
        .target(name: "EmbeddedRedis", swiftSettings: swiftSettings),
        .target(
            name: "HeadgateServer",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateAccounts", "HeadgateEvents", "HeadgateGateway", "HeadgateHTTP",
                "HeadgateHummingbird", "HeadgateJSON", "HeadgateMetrics", "HeadgatePolicy", "HeadgateProvider", "HeadgateRedis",
                "HeadgateUsage", "HeadgateYAML", .configuration, .crypto, .httpTypes, .hummingbird, .hummingbirdCore, .logging, .nioCore,
                .serviceLifecycle, .unixSignals,
            ],
            resources: [.embedInCode("OpenAPI/admin.json"), .embedInCode("OpenAPI/public.json")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "HeadgateCommand",
            dependencies: [
                "Headgate", "HeadgateAccounts", "HeadgateBench", "HeadgateJSON", "HeadgatePolicy", "HeadgateRedis", "HeadgateServer",
                .argumentParser, .configuration, .logging,
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: For the tests of those who use Headgate
        .target(name: "HeadgateTesting", dependencies: ["EmbeddedRedis", "Headgate"], swiftSettings: swiftSettings),

        // MARK: Tests
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        .testTarget(name: "CHiredisTests", dependencies: ["CHiredis"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HeadgateTests",
            dependencies: ["Headgate", "HeadgateTesting", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "HeadgatePolicyTests", dependencies: ["Headgate", "HeadgatePolicy"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HeadgateYAMLTests",
            dependencies: ["Headgate", "HeadgatePolicy", "HeadgateYAML"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateHTTPTests",
            dependencies: ["Headgate", "HeadgateHTTP", "TestSupport", .httpTypes, .rawStructuredFieldValues],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "HeadgateJSONTests", dependencies: ["Headgate", "HeadgateJSON", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HeadgateMetricsTests",
            dependencies: ["Headgate", "HeadgateMetrics", "HeadgateTesting", .metricsTestKit],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateAccountsTests",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateAccounts", "HeadgateJSON", "HeadgatePolicy", "HeadgateRedis", "HeadgateTesting",
                "HeadgateYAML", "TestSupport", .logging,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateUsageTests",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateRedis", "HeadgateTesting", "HeadgateUsage", "TestSupport", .logging,
                .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateEventsTests",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateEvents", "HeadgateJSON", "HeadgateRedis", "HeadgateTesting", "TestSupport",
                .crypto, .hummingbird, .logging, .nioCore, .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateGatewayTests",
            dependencies: [
                "Headgate", "HeadgateGateway", "HeadgateHTTP", "TestSupport", .httpTypes, .hummingbird, .hummingbirdCore, .logging,
                .nioCore, .nioEmbedded, .nioHTTP1, .nioPosix, .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateClientTests",
            dependencies: [
                "Headgate", "HeadgateClient", "HeadgateTesting", "TestSupport", .asyncHTTPClient, .httpTypes, .logging, .metrics,
                .nioCore, .nioHTTP1, .nioPosix, .tracing,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EmbeddedRedisTests",
            dependencies: ["EmbeddedRedis", "Headgate", "HeadgateTesting", "TestSupport"],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateRedisTests",
            dependencies: ["Headgate", "HeadgateRedis", "TestSupport", .logging, .nioCore, .nioEmbedded, .nioPosix, .serviceLifecycle],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateBenchTests",
            dependencies: ["Headgate", "HeadgateBench", "HeadgateRedis", "HeadgateTesting", "TestSupport", .nioPosix],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateHummingbirdTests",
            dependencies: [
                "Headgate", "HeadgateHTTP", "HeadgateHummingbird", "HeadgateTesting", .httpTypes, .hummingbird, .hummingbirdTesting,
                .logging, .nioCore, .nioEmbedded,
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateServerTests",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateAccounts", "HeadgateHTTP", "HeadgateHummingbird", "HeadgateJSON", "HeadgatePolicy",
                "HeadgateProvider", "HeadgateRedis", "HeadgateServer", "HeadgateTesting", "HeadgateYAML", "TestSupport", .configuration,
                .httpTypes, .hummingbird, .hummingbirdTesting, .logging, .nioCore, .serviceLifecycle,
            ],
            swiftSettings: swiftSettings
        ),
        // The Lua script against its twin in Swift, on a real server.
        .testTarget(
            name: "ConformanceTests",
            dependencies: ["EmbeddedRedis", "Headgate", "HeadgateRedis", "LuaScripts", "TestSupport", .nioCore],
            swiftSettings: swiftSettings
        ),
        // Real processes: servers, workers, redis-cli.
        .executableTarget(
            name: "IntegrationWorker",
            dependencies: ["Headgate", "HeadgateRedis"],
            path: "Tests/IntegrationWorker",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "ClientWorker",
            dependencies: ["Headgate", "HeadgateClient", "HeadgateRedis", .asyncHTTPClient, .nioCore, .nioHTTP1],
            path: "Tests/ClientWorker",
            swiftSettings: swiftSettings
        ),
        // The library as a subject of Tests/Faults.
        .executableTarget(
            name: "FaultWorker",
            dependencies: ["Headgate", "HeadgateRedis", .logging, .metrics, .unixSignals],
            path: "Tests/FaultWorker",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "EmbeddedRedis", "Headgate", "HeadgateCommand", "HeadgateRedis", "HummingbirdExample", "IntegrationWorker",
                "TestSupport", .asyncHTTPClient, .httpTypes, .hummingbirdTesting, .nioCore, .nioHTTP1,
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The README's examples, compiled
        .target(
            name: "Snippets",
            dependencies: ["Headgate", "HeadgateClient", .asyncHTTPClient, .nioCore, .nioHTTP1],
            path: "examples/Snippets",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "HummingbirdExample",
            dependencies: [
                "Headgate", "HeadgateHTTP", "HeadgateHummingbird", "HeadgatePolicy", "HeadgateRedis", "HeadgateYAML", .hummingbird,
            ],
            path: "examples/HummingbirdExample",
            swiftSettings: swiftSettings
        ),
    ]
)
