import Testing

@testable import HeadgateAccounts

@Suite("Whether what is known may be used")
struct FreshnessTests {
    private static let now = ContinuousClock.now

    /// When changes were last heard of, when Redis last gave no answer, and how old the entry is: all as times before now.
    struct Case: Sendable, CustomTestStringConvertible {
        var heard: Duration?
        var failed: Duration?
        var age: Duration
        var use: Freshness.Use

        init(heard: Duration? = nil, failed: Duration? = nil, age: Duration, _ use: Freshness.Use) {
            self.heard = heard
            self.failed = failed
            self.age = age
            self.use = use
        }

        var testDescription: String {
            "heard \(heard?.description ?? "never"), failed \(failed?.description ?? "never"), \(age) old: \(use)"
        }
    }

    private static let moment: Duration = .nanoseconds(1)

    @Test(
        "is decided by how lately changes were heard of, how old it is, and whether Redis is away",
        arguments: [
            // Changes are heard of: what was not changed is as it was.
            Case(heard: .zero, age: .zero, .use),
            Case(heard: .milliseconds(500), age: .seconds(30), .use),
            Case(heard: .zero, age: .seconds(30) + moment, .useAndRefresh),
            Case(heard: .zero, age: .seconds(60), .useAndRefresh),
            Case(heard: .zero, age: .seconds(60) + moment, .reload),
            Case(heard: .zero, age: .seconds(3_600), .reload),
            Case(heard: .milliseconds(500), failed: .zero, age: .seconds(30), .use),
            // They are not: age alone counts.
            Case(heard: .milliseconds(500) + moment, age: .milliseconds(400), .use),
            Case(heard: .milliseconds(500) + moment, age: .milliseconds(400) + moment, .reload),
            Case(age: .milliseconds(400), .use),
            Case(age: .milliseconds(400) + moment, .reload),
            Case(age: .seconds(300), .reload),
            Case(age: .seconds(300) + moment, .readAnew),
            // Redis is away: it is not asked again at once, and what was read within five minutes serves.
            Case(failed: .milliseconds(500), age: .seconds(300), .use),
            Case(failed: .milliseconds(500) + moment, age: .seconds(300), .reload),
            Case(failed: .zero, age: .seconds(300) + moment, .readAnew),
            Case(heard: .seconds(1), failed: .milliseconds(100), age: .seconds(60), .use),
            Case(heard: .seconds(1), failed: .milliseconds(100), age: .seconds(301), .readAnew),
        ]
    )
    func use(given: Case) {
        var freshness = Freshness()
        freshness.heardAt = given.heard.map { Self.now - $0 }
        freshness.failedAt = given.failed.map { Self.now - $0 }
        #expect(freshness.use(of: Self.now - given.age, at: Self.now) == given.use)
    }

    @Test("leaves a change less than a second to be seen, also when the look at the changes fails")
    func withinASecond() {
        // A look begins at most an interval after the last; one that fails leaves what was read for the rest of the silence.
        #expect(Freshness.interval * 2 < Freshness.silence)
        #expect(Freshness.silence + Freshness.mostBlind < .seconds(1))
    }
}
