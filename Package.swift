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

let package = Package(
    name: "headgate",
    platforms: [.macOS(.v15)],
    products: [
        // The library. Linking these builds SwiftNIO, Crypto and the observability API packages, never an HTTP server.
        .library(name: "Headgate", targets: ["Headgate"]),
        .library(name: "HeadgatePolicy", targets: ["HeadgatePolicy"]),
        .library(name: "HeadgateYAML", targets: ["HeadgateYAML"]),
        .library(name: "HeadgateRedis", targets: ["HeadgateRedis"]),
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
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.34.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.36.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.20.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.30.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    ],
    targets: [
        // MARK: The heart
        .target(name: "Headgate", dependencies: [.product(name: "Crypto", package: "swift-crypto")], swiftSettings: swiftSettings),
        .target(name: "HeadgatePolicy", dependencies: ["Headgate"], swiftSettings: swiftSettings),
        .target(
            name: "HeadgateYAML",
            dependencies: ["Headgate", "HeadgatePolicy", .product(name: "Yams", package: "Yams")],
            swiftSettings: swiftSettings
        ),

        .target(name: "HeadgateJSON", dependencies: ["Headgate"], swiftSettings: swiftSettings),

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
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateRedis",
            dependencies: [
                "CHiredis",
                "Headgate",
                "LuaScripts",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: HTTP
        .target(
            name: "HeadgateHTTP",
            dependencies: [
                "Headgate",
                "HeadgateJSON",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateHummingbird",
            dependencies: [
                "Headgate",
                "HeadgateHTTP",
                "HeadgatePolicy",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: A provider's page: accounts and keys, usage, events, and what customers see of them
        .target(
            name: "HeadgateAccounts",
            dependencies: [
                "Headgate",
                "HeadgateJSON",
                "HeadgatePolicy",
                "HeadgateRedis",
                "LuaScripts",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateUsage",
            dependencies: [
                "Headgate",
                "HeadgateRedis",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateEvents",
            dependencies: [
                "Headgate",
                "HeadgateJSON",
                "HeadgateRedis",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateProvider",
            dependencies: [
                "Headgate",
                "HeadgateAccounts",
                "HeadgateEvents",
                "HeadgateHTTP",
                "HeadgateHummingbird",
                "HeadgateJSON",
                "HeadgatePolicy",
                "HeadgateUsage",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "HeadgateGateway",
            dependencies: [
                "HeadgateHTTP",
                "HeadgateJSON",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The polite caller
        .target(
            name: "HeadgateClient",
            dependencies: [
                "Headgate",
                "HeadgateJSON",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The server and the command
        .target(name: "EmbeddedRedis", swiftSettings: swiftSettings),
        .target(
            name: "HeadgateServer",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateAccounts",
                "HeadgateEvents",
                "HeadgateGateway",
                "HeadgateHTTP",
                "HeadgateHummingbird",
                "HeadgateJSON",
                "HeadgatePolicy",
                "HeadgateProvider",
                "HeadgateRedis",
                "HeadgateUsage",
                "HeadgateYAML",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("OpenAPI/admin.json"), .embedInCode("OpenAPI/public.json")],
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "HeadgateCommand",
            dependencies: [
                "Headgate",
                "HeadgateAccounts",
                "HeadgateServer",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
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
            dependencies: [
                "Headgate",
                "HeadgateHTTP",
                "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "RawStructuredFieldValues", package: "swift-http-structured-headers"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(name: "HeadgateJSONTests", dependencies: ["Headgate", "HeadgateJSON", "TestSupport"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HeadgateAccountsTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateAccounts",
                "HeadgateJSON",
                "HeadgatePolicy",
                "HeadgateRedis",
                "HeadgateTesting",
                "HeadgateYAML",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateUsageTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateRedis",
                "HeadgateTesting",
                "HeadgateUsage",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateEventsTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateEvents",
                "HeadgateJSON",
                "HeadgateRedis",
                "HeadgateTesting",
                "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateGatewayTests",
            dependencies: [
                "HeadgateGateway",
                "HeadgateHTTP",
                "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateClientTests",
            dependencies: [
                "Headgate",
                "HeadgateClient",
                "HeadgateTesting",
                "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "EmbeddedRedisTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateTesting",
                "TestSupport",
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateRedisTests",
            dependencies: [
                "Headgate",
                "HeadgateRedis",
                "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateHummingbirdTests",
            dependencies: [
                "Headgate",
                "HeadgateHTTP",
                "HeadgateHummingbird",
                "HeadgateTesting",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "HeadgateServerTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateAccounts",
                "HeadgateHTTP",
                "HeadgateHummingbird",
                "HeadgateJSON",
                "HeadgatePolicy",
                "HeadgateProvider",
                "HeadgateRedis",
                "HeadgateServer",
                "HeadgateTesting",
                "HeadgateYAML",
                "TestSupport",
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: swiftSettings
        ),
        // The Lua script against its twin in Swift, on a real server.
        .testTarget(
            name: "ConformanceTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateRedis",
                "LuaScripts",
                "TestSupport",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
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
            dependencies: [
                "Headgate",
                "HeadgateClient",
                "HeadgateRedis",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "Tests/ClientWorker",
            swiftSettings: swiftSettings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "EmbeddedRedis",
                "Headgate",
                "HeadgateCommand",
                "HeadgateRedis",
                "HummingbirdExample",
                "IntegrationWorker",
                "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: swiftSettings
        ),

        // MARK: The README's examples, compiled
        .target(
            name: "Snippets",
            dependencies: [
                "Headgate",
                "HeadgateClient",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            path: "examples/Snippets",
            swiftSettings: swiftSettings
        ),
        .executableTarget(
            name: "HummingbirdExample",
            dependencies: [
                "Headgate",
                "HeadgateHTTP",
                "HeadgateHummingbird",
                "HeadgatePolicy",
                "HeadgateRedis",
                "HeadgateYAML",
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "examples/HummingbirdExample",
            swiftSettings: swiftSettings
        ),
    ]
)
