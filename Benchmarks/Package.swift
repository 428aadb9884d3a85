// swift-tools-version: 6.2
import PackageDescription

let cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .treatAllWarnings(as: .error),
    .enableWarning("all"),
    .enableWarning("extra"),
    .enableWarning("strict-prototypes"),
    .enableWarning("write-strings"),
]

/// What the measurements need beside the command `headgate`; a package of its own, so that nobody who depends on Headgate builds it.
let package = Package(
    name: "headgate-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "headgate", path: "..")],
    targets: [
        // A limiter as it is often written: one blocking connection a thread, one EVALSHA a decision.
        .executableTarget(
            name: "NaiveWrapper",
            cSettings: cSettings,
            linkerSettings: [.linkedLibrary("hiredis"), .linkedLibrary("pthread")]
        ),
        // How long a policy takes to map a request to its limits.
        .target(name: "Allocations", cSettings: cSettings),
        .executableTarget(
            name: "Resolution",
            dependencies: [
                "Allocations", .product(name: "Headgate", package: "headgate"), .product(name: "HeadgatePolicy", package: "headgate"),
                .product(name: "HeadgateYAML", package: "headgate"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]
        ),
    ]
)
