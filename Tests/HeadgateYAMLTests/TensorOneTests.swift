import Headgate
import HeadgatePolicy
import HeadgateYAML
import Testing

/// The first seed's document, line by line: every number for every tier.
@Suite("TensorOne's published limits")
struct TensorOneTests {
    static let tiers = ["free", "pro", "enterprise"]

    struct ClassLine: Sendable {
        /// The line in the tiers' order, as published.
        let lines: [String]
        let method: String
        let path: String
        let id: String
        let name: String
        /// Units in the tiers' order; nil is unlimited.
        let units: [Int64?]
        let window: Int64
    }

    static let classLines = [
        ClassLine(
            lines: ["Read Operations: 100 requests/hour", "Read Operations: 1,000 requests/hour", "Read Operations: 10,000 requests/hour"],
            method: "GET",
            path: "/v2/users",
            id: "read",
            name: "read_operations",
            units: [100, 1_000, 10_000],
            window: 3_600
        ),
        ClassLine(
            lines: ["Write Operations: 20 requests/hour", "Write Operations: 200 requests/hour", "Write Operations: 2,000 requests/hour"],
            method: "PATCH",
            path: "/v2/accounts/7",
            id: "write",
            name: "write_operations",
            units: [20, 200, 2_000],
            window: 3_600
        ),
        ClassLine(
            lines: ["AI Services: 50 requests/hour", "AI Services: 500 requests/hour", "AI Services: 5,000 requests/hour"],
            method: "GET",
            path: "/v2/ai/models",
            id: "ai",
            name: "ai_services",
            units: [50, 500, 5_000],
            window: 3_600
        ),
        ClassLine(
            lines: ["Training Jobs: 5 jobs/day", "Training Jobs: 20 jobs/day", "Training Jobs: Unlimited"],
            method: "POST",
            path: "/v2/training/jobs",
            id: "training",
            name: "training_jobs",
            units: [5, 20, nil],
            window: 86_400
        ),
    ]

    @Test("The tiers' limits stand as written", arguments: classLines)
    func classes(_ line: ClassLine) throws {
        let policy = try Policies.load("tensorone.yaml")
        for (tier, units) in zip(Self.tiers, line.units) {
            let subject = try Subject.account("acme", tier: tier)
            let limits = try policy.limits(for: LimitRequest(subject: subject, endpoint: Endpoint(method: line.method, path: line.path)))
            #expect(limits[0].id == line.id && limits[0].name == line.name && limits[0].role == .operationClass)
            #expect(limits[0].charge?.limit.algorithm.capacity == units, "\(line.lines) \(tier)")
            #expect(limits[0].charge.map { $0.limit.algorithm.window == .seconds(line.window) } ?? (units == nil))
            #expect(limits[0].charge.map { $0.limit.algorithm.name == .slidingWindowLog } ?? true)
        }
    }

    struct EndpointLine: Sendable {
        /// As published.
        let line: String
        let id: String
        let operationClass: String
        /// Requests that it is for.
        let paths: [String]
        let units: Int64
    }

    static let endpointLines = [
        EndpointLine(
            line: "GET /accounts/* - 500/hour",
            id: "GET/accounts/*",
            operationClass: "read",
            paths: ["/accounts", "/accounts/7", "/accounts/7/keys"],
            units: 500
        ),
        EndpointLine(
            line: "POST /accounts/* - 50/hour",
            id: "POST/accounts/*",
            operationClass: "write",
            paths: ["/accounts", "/accounts/7", "/accounts/7/keys"],
            units: 50
        ),
        EndpointLine(
            line: "PUT /accounts/* - 50/hour",
            id: "PUT/accounts/*",
            operationClass: "write",
            paths: ["/accounts", "/accounts/7"],
            units: 50
        ),
        EndpointLine(
            line: "DELETE /accounts/* - 10/hour",
            id: "DELETE/accounts/*",
            operationClass: "write",
            paths: ["/accounts", "/accounts/7"],
            units: 10
        ),
        EndpointLine(
            line: "GET /clusters/* - 1000/hour",
            id: "GET/clusters/*",
            operationClass: "read",
            paths: ["/clusters", "/clusters/7"],
            units: 1_000
        ),
        EndpointLine(
            line: "POST /clusters - 20/hour (creation)",
            id: "POST/clusters",
            operationClass: "write",
            paths: ["/clusters"],
            units: 20
        ),
        EndpointLine(
            line: "PUT /clusters/* - 100/hour",
            id: "PUT/clusters/*",
            operationClass: "write",
            paths: ["/clusters", "/clusters/7"],
            units: 100
        ),
        EndpointLine(
            line: "DELETE /clusters/* - 20/hour",
            id: "DELETE/clusters/*",
            operationClass: "write",
            paths: ["/clusters", "/clusters/7"],
            units: 20
        ),
        EndpointLine(
            line: "GET /endpoints/* - 1000/hour",
            id: "GET/endpoints/*",
            operationClass: "read",
            paths: ["/endpoints", "/endpoints/ep1"],
            units: 1_000
        ),
        EndpointLine(
            line: "POST /endpoints - 50/hour (creation)",
            id: "POST/endpoints",
            operationClass: "write",
            paths: ["/endpoints"],
            units: 50
        ),
        EndpointLine(
            line: "POST /endpoints/*/execute - 500/hour (execution)",
            id: "POST/endpoints/*/execute",
            operationClass: "write",
            paths: ["/endpoints/ep1/execute", "/endpoints/critical/execute"],
            units: 500
        ),
        EndpointLine(line: "POST /ai/chat - 200/hour", id: "POST/ai/chat", operationClass: "ai", paths: ["/ai/chat"], units: 200),
        EndpointLine(
            line: "POST /ai/text-to-image - 100/hour",
            id: "POST/ai/text-to-image",
            operationClass: "ai",
            paths: ["/ai/text-to-image"],
            units: 100
        ),
        EndpointLine(
            line: "POST /ai/text-to-video - 20/hour",
            id: "POST/ai/text-to-video",
            operationClass: "ai",
            paths: ["/ai/text-to-video"],
            units: 20
        ),
        EndpointLine(
            line: "POST /ai/text-to-speech - 150/hour",
            id: "POST/ai/text-to-speech",
            operationClass: "ai",
            paths: ["/ai/text-to-speech"],
            units: 150
        ),
        EndpointLine(
            line: "GET /training/* - 500/hour",
            id: "GET/training/*",
            operationClass: "read",
            paths: ["/training", "/training/jobs", "/training/jobs/7"],
            units: 500
        ),
        EndpointLine(
            line: "POST /training/jobs - 10/hour",
            id: "POST/training/jobs",
            operationClass: "training",
            paths: ["/training/jobs"],
            units: 10
        ),
        EndpointLine(
            line: "PUT /training/* - 50/hour",
            id: "PUT/training/*",
            operationClass: "write",
            paths: ["/training/jobs/7"],
            units: 50
        ),
    ]

    @Test("The endpoints' limits are multiplied by 1, 5 and 50", arguments: endpointLines)
    func endpoints(_ line: EndpointLine) throws {
        let policy = try Policies.load("tensorone.yaml")
        let words = line.line.split(separator: " ")
        #expect(words[3].hasPrefix("\(line.units)/hour"), "the row and the quoted line agree")
        for (tier, multiplier) in zip(Self.tiers, [1, 5, 50] as [Int64]) {
            for path in line.paths {
                for prefix in ["/v2", ""] {
                    let limits = try policy.short(String(words[0]), prefix + path, tier: tier)
                    #expect(limits.count == 2 && limits[0].hasPrefix("\(line.operationClass) "), "\(line.line) \(path) \(limits)")
                    #expect(limits.last == "\(line.id) \(line.units * multiplier)/3600", "\(line.line) \(tier) \(path)")
                }
            }
        }
    }

    @Test("The file holds these rules and no others")
    func complete() throws {
        let policy = try Policies.load("tensorone.yaml")
        #expect(policy.definition.endpoints.filter { $0.limit != nil }.map(\.id) == Self.endpointLines.map(\.id))
        #expect(Set(policy.definition.classes.map(\.id)) == Set(Self.classLines.map(\.id)))
        #expect(policy.definition.tiers.map(\.name) == Self.tiers)
        #expect(policy.responses == ResponseOptions(headers: [.xRateLimit], errorBody: .nested))
        #expect(policy.definition.defaultTier == "free" && policy.definition.basePath == "/v2")
    }

    @Test(
        "Requests without an endpoint line have their class alone",
        arguments: [
            ("POST", "/v2/clusters/7", "write"), ("POST", "/v2/endpoints/batch-execute", "write"), ("PUT", "/v2/endpoints/ep1", "write"),
            ("PATCH", "/v2/accounts/7", "write"), ("OPTIONS", "/v2/accounts", "read"), ("POST", "/v2/ai/chat/7", "ai"),
            ("GET", "/v2", "read"),
            ("POST", "/v2/training/jobs/7", "write"), ("POST", "/v2/endpoints/a/b/execute", "write"), ("OPTIONS", "*", "read"),
        ]
    )
    func classAlone(_ method: String, _ path: String, _ operationClass: String) throws {
        let limits = try Policies.load("tensorone.yaml").short(method, path, tier: nil)
        #expect(limits.count == 1 && limits[0].hasPrefix("\(operationClass) "), "\(limits)")
    }

    @Test("HEAD counts as GET; a read-only key may not write; priorities keep units back")
    func others() throws {
        let policy = try Policies.load("tensorone.yaml")
        #expect(try policy.short("HEAD", "/v2/accounts/7", tier: "pro") == ["read 1000/3600", "GET/accounts/* 2500/3600"])
        #expect(try policy.short("POST", "/v2/clusters", tier: "pro", permissions: ["read-only"])[0] == "write 0/3600")
        #expect(try policy.short("POST", "/v2/training/jobs", tier: "free", permissions: ["read-only"])[0] == "training 0/86400")
        #expect(try policy.short("POST", "/v2/training/jobs", tier: "enterprise") == ["training unlimited", "POST/training/jobs 500/3600"])
        func reserve(_ priority: Priority, _ permissions: Set<String>) throws -> Int64? {
            let subject = try Subject.account("acme", permissions: permissions)
            let request = LimitRequest(subject: subject, endpoint: Endpoint(method: "GET", path: "/v2/x"), priority: priority)
            return try policy.limits(for: request)[0].charge?.reserve
        }
        #expect(try reserve("low", []) == 20)
        #expect(try reserve("high", []) == 0)
        #expect(try reserve("high", ["priority"]) == 0)
    }
}
