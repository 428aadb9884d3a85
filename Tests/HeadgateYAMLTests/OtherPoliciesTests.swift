import Headgate
import HeadgatePolicy
import HeadgateYAML
import Testing

/// The second seed's table: Sandbox / Free 20 and 2, Developer 100 and 5, Enterprise custom and custom.
@Suite("Supervised AI's published limits, and the quickstart")
struct OtherPoliciesTests {
    @Test(
        "| Tier | Requests Per Minute (RPM) | Concurrent Requests |",
        arguments: [("sandbox", 20, 2), ("free", 20, 2), (nil, 20, 2), ("developer", 100, 5)] as [(String?, Int, Int)]
    )
    func table(_ tier: String?, _ requests: Int, _ concurrent: Int) throws {
        let policy = try Policies.load("supervised-ai.yaml")
        for (method, path) in [("GET", "/"), ("POST", "/tests/7/runs"), ("OPTIONS", "*")] {
            #expect(try policy.short(method, path, tier: tier) == ["requests \(requests)/60", "concurrency \(concurrent)"])
        }
    }

    @Test("| Enterprise | Custom | Custom |")
    func enterprise() throws {
        let policy = try Policies.load("supervised-ai.yaml")
        let error = #expect(throws: LimiterError.self) { try policy.short("GET", "/", tier: "enterprise") }
        #expect(error?.code == .customLimitMissing)
        let own: [String: LimitOverride] = ["requests": .units(900, per: .seconds(60)), "concurrency": .slots(40)]
        #expect(try policy.short("GET", "/", tier: "enterprise", overrides: own) == ["requests 900/60", "concurrency 40"])
    }

    @Test("Rates are calculated on a sliding window basis; there is no Window field; the body is flat")
    func style() throws {
        let policy = try Policies.load("supervised-ai.yaml")
        #expect(policy.definition.algorithm == .slidingWindowLog)
        #expect(policy.responses == ResponseOptions(headers: [.xRateLimit], windowHeader: false, errorBody: .flat))
    }

    @Test("The quickstart does what its comments say")
    func quickstart() throws {
        let policy = try Policies.load("quickstart.yaml")
        #expect(try policy.short("POST", "/reports", tier: "paid") == ["write 100/60", "POST/reports 50/900"])
        #expect(try policy.short("HEAD", "/search", tier: "free") == ["read 60/60", "GET/search/* 20/10", "concurrency 5"])
    }
}
