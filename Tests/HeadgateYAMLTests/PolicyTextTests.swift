import Headgate
import HeadgatePolicy
import HeadgateYAML
import Testing

@Suite("Policies as text")
struct PolicyTextTests {
    @Test("A failure policy stands at the file, at a tier's limits and at any other; the nearest holds", arguments: FailurePolicy.allCases)
    func failurePolicies(failure: FailurePolicy) throws {
        let word = failure.rawValue
        let policy = try Policy(
            yaml: """
                name: failures
                on_redis_failure: local
                classes: { read: GET /**, write: "* /**" }
                tiers:
                  free:
                    limits: { read: { limit: 5, window: 1m, on_redis_failure: \(word) }, write: 4/minute }
                    concurrency: { limit: 3, on_redis_failure: \(word) }
                endpoints:
                  - { match: POST /a, limit: { limit: 2, window: 1m, on_redis_failure: \(word) } }
                limits:
                  all: { limit: { limit: 9, window: 1m, on_redis_failure: \(word) } }
                """
        )
        let subject = try Subject.account("acme", tier: "free")
        func policies(_ method: String, _ path: String) throws -> [String: FailurePolicy] {
            let limits = try policy.limits(for: LimitRequest(subject: subject, endpoint: Endpoint(method: method, path: path)))
            return Dictionary(uniqueKeysWithValues: limits.compactMap { one in one.charge.map { (one.id, $0.limit.onRedisFailure) } })
        }
        #expect(try policies("GET", "/x") == ["read": failure, "all": failure, "concurrency": failure])
        #expect(try policies("POST", "/a") == ["write": .local, "POST/a": failure, "all": failure, "concurrency": failure])
    }

    @Test("All fields are read")
    func everything() throws {
        let policy = try Policy(
            yaml: """
                name: all
                base_path: /v1
                case_sensitive: false
                algorithm: fixed_window
                on_redis_failure: closed
                responses:
                  headers: [ietf, x-ratelimit]
                  window_header: false
                  error_body: problem
                classes:
                  one: GET /one/*
                  rest: { name: the_rest, match: "* /**" }
                tiers:
                  base:
                    aliases: [basic, b]
                    endpoint_multiplier: 2.5
                    limits:
                      one: { limit: 100, window: 1h, algorithm: token_bucket, burst: 200, on_redis_failure: open, shadow: true }
                      rest: { limit: 5000, window: 15 minutes, algorithm: sliding_window_log, resolution: 1s }
                    concurrency: { limit: 5, lease: 45s, on_redis_failure: open, shadow: true }
                  big: { limits: { one: custom, rest: unlimited }, concurrency: { limit: custom, lease: 1m } }
                default_tier: basic
                endpoints:
                  - { id: special, name: Special, match: POST /a/*/b, limit: 10/second burst 50, per: key, cost: 3, refund_on: [404] }
                  - { match: POST /sized, cost: { header: X-Size, default: 2, max: 9 } }
                limits:
                  each: { name: Each, match: [GET /**, PUT /x], limit: 7/minute, per: address }
                  all: { limit: 9/second, per: global }
                refund_on: [304, 5xx]
                permissions:
                  p: { limits: { one: 0 }, endpoints: { special: 4/day }, multiplier: 0.5, add: { more: { limit: 1/hour } } }
                priorities:
                  low: { reserve: 2.5%, requires: x }
                boosts: { max_multiplier: 1.5, max_duration: 48h, per_month: 3 }
                events: { thresholds: [50%, 90%] }
                """
        )
        let half = try Multiplier("0.5")
        let expected = try PolicyDefinition(
            name: "all",
            basePath: "/v1",
            caseSensitive: false,
            algorithm: .fixedWindow,
            onRedisFailure: .closed,
            responses: ResponseOptions(headers: [.ietf, .xRateLimit], windowHeader: false, errorBody: .problem),
            classes: [
                ClassRule("one", match: [RoutePattern("GET /one/*")]), ClassRule("rest", name: "the_rest", match: [RoutePattern("* /**")]),
            ],
            tiers: [
                TierRule(
                    "base",
                    aliases: ["basic", "b"],
                    endpointMultiplier: Multiplier("2.5"),
                    limits: [
                        "one": .limited(
                            Quota(
                                units: 100,
                                per: .seconds(3_600),
                                algorithm: .tokenBucket,
                                burst: 200,
                                onRedisFailure: .open,
                                mode: .shadow
                            )
                        ),
                        "rest": .limited(Quota(units: 5_000, per: .seconds(900), algorithm: .slidingWindowLog, resolution: .seconds(1))),
                    ],
                    order: ["one", "rest"],
                    concurrency: .slots(.init(5, terms: .init(lease: .seconds(45), onRedisFailure: .open, mode: .shadow)))
                ),
                TierRule(
                    "big",
                    limits: ["one": .custom, "rest": .unlimited],
                    order: ["one", "rest"],
                    concurrency: .custom(.init(lease: .seconds(60)))
                ),
            ],
            defaultTier: "basic",
            endpoints: [
                EndpointRule(
                    match: RoutePattern("POST /a/*/b"),
                    limit: Rate("10/second burst 50"),
                    id: "special",
                    name: "Special",
                    scope: .key,
                    cost: .units(3),
                    refundOn: [.exact(404)]
                ),
                EndpointRule(match: RoutePattern("POST /sized"), limit: nil, cost: .header(.init("X-Size", fallback: 2, most: 9))),
            ],
            limits: [
                LimitRule(
                    "each",
                    name: "Each",
                    match: [RoutePattern("GET /**"), RoutePattern("PUT /x")],
                    limit: Rate("7/minute"),
                    scope: .address
                ),
                LimitRule("all", limit: Rate("9/second"), scope: .global),
            ],
            refundOn: [.exact(304), .hundred(5)],
            permissions: [
                PermissionRule(
                    "p",
                    limits: ["one": .nothing],
                    endpoints: ["special": Rate("4/day")],
                    multiplier: half,
                    additions: [LimitRule("more", limit: Rate("1/hour"))]
                )
            ],
            priorities: [PriorityRule("low", reserve: Percentage("2.5%"), requires: "x")],
            boosts: BoostRules(maxMultiplier: Multiplier("1.5"), maxDuration: .seconds(172_800), perMonth: 3),
            events: EventRules(thresholds: [50, 90])
        )
        #expect(policy.definition == expected)
    }

    @Test("Headers may be none")
    func noHeaders() throws {
        let policy = try Policy(yaml: Text.minimal + "responses: { headers: [] }\n")
        #expect(policy.responses.headers.isEmpty)
    }

    @Test("What a file does not say has its default")
    func defaults() throws {
        let policy = try Policy(yaml: Text.minimal)
        #expect(policy.responses == ResponseOptions())
        #expect(policy.definition.onRedisFailure == .open && policy.definition.algorithm == .slidingWindowLog)
        #expect(policy.definition.caseSensitive && policy.definition.basePath == "/" && policy.definition.defaultTier == nil)
    }
}

enum Text {
    static let minimal = """
        name: minimal
        classes: { all: ["* /**"] }
        tiers: { one: { limits: { all: 5/second } } }

        """
}
