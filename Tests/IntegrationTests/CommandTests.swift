import Foundation
import TestSupport
import Testing

@Suite("The command line", .serialized, .exclusive)
struct CommandTests {
    static let arguments = ["--policy", TestServer.policy("tensorone"), "--tier", "free"]

    func check(_ url: String, _ account: String, _ more: String...) async throws -> (status: Int32, output: String) {
        let executable = try Executable("headgate", ["check", "--redis", url, "--account", account] + Self.arguments + more)
        let status = try await executable.end()
        return (status, executable.printed.joined(separator: "\n"))
    }

    @Test("check decides and charges: 0 allowed, 1 denied, 2 usage, 3 no backend")
    func exitCodes() async throws {
        try await withTestRedis { url in
            let account = freshAccount()
            for _ in 0..<5 { #expect(try await check(url, account, "POST", "/v2/training/jobs").status == 0) }
            let denied = try await check(url, account, "POST", "/v2/training/jobs")
            #expect(denied.status == 1)
            #expect(denied.output.contains("training"))
            #expect(try await check(url, account, "--cost", "0", "GET", "/v2/x").status == 2)
            #expect(try await check(url, account, "--no-such-option").status == 2)
        }
        #expect(try await check("unix:///tmp/no-such-headgate-socket", "acme", "GET", "/v2/x").status == 3)
    }

    @Test("explain names the rules, and charges nothing")
    func explain() async throws {
        try await withTestRedis { url in
            let account = freshAccount()
            for _ in 0..<2 {
                let answer = try Executable(
                    "headgate",
                    ["explain", "--redis", url, "--account", account] + Self.arguments + ["POST", "/v2/clusters"]
                )
                #expect(try await answer.end() == 0)
                let text = answer.printed.joined(separator: "\n")
                for part in ["/clusters", "write", "hg:{a:\(account)}:write:log1", "20"] {
                    #expect(text.contains(part), "\(part) in \(text)")
                }
            }
            #expect(try await redisCLI(url, "KEYS", "hg:{a:\(account)}:*").isEmpty)
        }
    }

    @Test("inspect reads an account's state back in words")
    func inspect() async throws {
        try await withTestRedis { url in
            let account = freshAccount()
            _ = try await check(url, account, "POST", "/v2/clusters")
            let answer = try await run("headgate", "inspect", "--redis", url, "--account", account)
            #expect(answer.status == 0)
            for part in ["write", "POST/clusters"] { #expect(answer.output.contains(part), "\(part) in \(answer.output)") }
        }
    }

    @Test("policy validate accepts the shipped policies, and tells of a bad one with line and field")
    func validate() async throws {
        for name in ["tensorone", "supervised-ai", "quickstart", "../examples/policy"] {
            #expect(try await run("headgate", "policy", "validate", TestServer.policy(name)).status == 0)
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(freshAccount()).yaml")
        try "name: bad\nclasses:\n  all: [\"* /**\"]\ntiers:\n  free: { limits: { all: 100/fortnight } }\n".write(
            to: file,
            atomically: true,
            encoding: .utf8
        )
        defer { try? FileManager.default.removeItem(at: file) }
        let answer = try await run("headgate", "policy", "validate", file.path)
        #expect(answer.status != 0)
        #expect(answer.output.contains("\(file.lastPathComponent):5:"), "\(answer.output)")
        #expect(answer.output.contains("all"))
        let served = try await run("headgate", "serve", "--policy", file.path, "--redis", "memory")
        #expect(served.status != 0)
    }

    @Test("--help says what each command is for")
    func help() async throws {
        for command in [[], ["serve"], ["check"], ["explain"], ["inspect"], ["policy", "validate"]] {
            let executable = try Executable("headgate", command + ["--help"])
            #expect(try await executable.end() == 0)
            #expect(executable.printed.count > 5)
        }
    }
}
