import Foundation
import TestSupport
import Testing

@Suite("The examples, as they stand", .serialized, .exclusive)
struct ExampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        .standardizedFileURL

    /// Runs a script of the repository with the command that was built with these tests; it prints what it checks.
    private func check(_ script: String, within time: Duration) async throws {
        let executable = try Executable(
            Self.root.appendingPathComponent(script).path,
            [],
            environment: ["HEADGATE": Executable.directory.appendingPathComponent("headgate").path]
        )
        let status = try await executable.end(within: time)
        #expect(status == 0, "\(executable.printed.suffix(30).joined(separator: "\n"))")
        #expect(executable.printed.contains { $0.hasSuffix("checks passed.") })
    }

    @Test("Two providers' pages are played from beginning to end against two gateways")
    func walkthrough() async throws { try await check("examples/provider-walkthrough.sh", within: .seconds(180)) }

    @Test("nginx and HAProxy ask before each request, and tell the client")
    func proxies() async throws { try await check("scripts/test-proxies", within: .seconds(120)) }

    @Test("The code that the two pages give to customers works as it stands")
    func customers() async throws { try await check("scripts/test-customers", within: .seconds(180)) }
}
