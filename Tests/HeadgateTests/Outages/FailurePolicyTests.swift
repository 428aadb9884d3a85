import Headgate
import HeadgateTesting
import Synchronization
import Testing

@Suite("Without an answer of the store")
struct FailurePolicyTests {
    static func limit(_ id: String, _ policy: FailurePolicy, mode: Limit.Mode = .enforced) throws -> Limit {
        try Limit(id, .fixedWindow(10, per: .seconds(60)), onRedisFailure: policy, mode: mode)
    }

    let limiter = Limiter(store: BrokenStore(LimiterError(.deadlineExceeded, "no answer", charge: .unknown)))

    @Test("an open limit lets pass, and the decision says why it was not counted")
    func open() async throws {
        let decision = try await limiter.acquire(for: .acme(), limits: [Self.limit("a", .open)])
        #expect(decision.isAllowed)
        #expect(decision.degradation?.code == .deadlineExceeded)
        #expect(decision.bindingLimit == nil)
        #expect(decision.limits[0].verdict == .unknown)
    }

    @Test("a closed limit refuses as unavailable, never as denied")
    func closed() async throws {
        let decision = try await limiter.acquire(for: .acme(), limits: [Self.limit("a", .open), Self.limit("b", .closed)])
        #expect(decision.outcome == .unavailable)
        #expect(decision.isDegraded)
    }

    @Test("a closed limit in shadow mode refuses nothing")
    func shadow() async throws {
        let decision = try await limiter.acquire(for: .acme(), limits: [Self.limit("a", .closed, mode: .shadow)])
        #expect(decision.isAllowed)
    }

    @Test("what no count would ever allow is denied for good all the same", arguments: [FailurePolicy.open, .closed])
    func impossible(policy: FailurePolicy) async throws {
        let zero = try Limit("write", .slidingWindowLog(0, per: .seconds(60)), onRedisFailure: policy)
        for (limit, cost) in [(zero, 1), (try Self.limit("a", policy), 11)] as [(Limit, Int64)] {
            let decision = try await limiter.acquire(
                cost,
                for: .acme(),
                limits: [try Limit("other", .fixedWindow(100, per: .seconds(60))), limit]
            )
            #expect(decision.outcome == .denied && decision.isPermanent && decision.isDegraded)
            #expect(decision.bindingLimit?.id == limit.id)
        }
    }

    @Test("a cancelled caller gets an error and no decision")
    func cancelled() async throws {
        let limiter = Limiter(store: BrokenStore(LimiterError(.cancelled, "cancelled")))
        let error = await #expect(throws: LimiterError.self) {
            try await limiter.acquire(for: .acme(), limits: [Self.limit("a", .open)])
        }
        #expect(error?.code == .cancelled)
    }

    @Test("a request without a limited limit does not ask the store")
    func unlimited() async throws {
        let store = BrokenStore(LimiterError(.connect, "refused"))
        let rules = SameLimits(limits: [AppliedLimit(name: "training_jobs", role: .operationClass, id: "training", charge: nil)])
        let decision = try await Limiter(store: store, rules: rules)
            .acquire(for: Subject(.acme()), on: Endpoint(method: "POST", path: "/training/jobs"))
        #expect(decision.isAllowed && !decision.isDegraded)
        #expect(decision.limits[0].verdict == .unlimited)
        #expect(store.calls.load(ordering: .relaxed) == 0)
    }
}
