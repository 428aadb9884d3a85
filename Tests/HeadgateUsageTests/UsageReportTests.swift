import Headgate
import Testing

@testable import HeadgateUsage

@Suite("A period, and the report on it")
struct UsageReportTests {
    @Test("is 1h, 24h, 7d or 30d; else the error says so", arguments: ["", "1", "2h", "1H", " 1h", "-1h", "24h ", "1w"])
    func badPeriods(text: String) throws {
        #expect { try UsagePeriod.parse(text) } throws: {
            ($0 as? LimiterError)?.code == .badRequest && "\($0)".contains("expected 1h, 24h, 7d or 30d")
        }
    }

    @Test("or between two instants, in order and at most 31 days apart")
    func between() throws {
        let from = StoreTime.sample
        #expect(throws: LimiterError.self) { try UsagePeriod(from: from, to: from) }
        #expect(throws: LimiterError.self) { try UsagePeriod(from: from, to: from + .microseconds(-1)) }
        #expect(throws: LimiterError.self) { try UsagePeriod(from: from, to: from + .seconds(31 * 86_400) + .microseconds(1)) }
        _ = try UsagePeriod(from: from, to: from + .seconds(31 * 86_400))
    }

    @Test(
        "is shown as finely as its length and what is kept allow",
        arguments: [
            ("1h", UsageResolution.minute, 61, "2026-11-24T20:45:00Z"), ("24h", .hour, 25, "2026-11-23T21:00:00Z"),
            ("7d", .hour, 169, "2026-11-17T21:00:00Z"), ("30d", .day, 31, "2026-10-25T00:00:00Z"),
        ]
    )
    func resolutions(text: String, resolution: UsageResolution, count: Int, first: String) throws {
        let now = StoreTime.sample + .milliseconds(30_500)
        let buckets = try UsageBuckets(try .parse(text), at: now)
        #expect(buckets.resolution == resolution)
        #expect(buckets.starts.count == count)
        #expect(buckets.starts.first == (try .at(first)))
        #expect(buckets.starts.last == resolution.start(of: now))
        #expect(buckets.end == now)
    }

    @Test("between instants covers whole buckets, and goes to coarser ones for what is kept no finer")
    func older() throws {
        let now = StoreTime.sample
        func buckets(_ from: String, _ to: String) throws -> UsageBuckets {
            try UsageBuckets(UsagePeriod(from: .at(from), to: .at(to)), at: now)
        }
        let aligned = try buckets("2026-11-24T19:00:00Z", "2026-11-24T21:00:00Z")
        #expect(aligned.resolution == .minute && aligned.starts.count == 120)
        #expect(aligned.end == (try .at("2026-11-24T21:00:00Z")))
        let touched = try buckets("2026-11-24T19:00:30Z", "2026-11-24T19:01:30Z")
        #expect(touched.starts == [try .at("2026-11-24T19:00:00Z"), try .at("2026-11-24T19:01:00Z")])
        #expect(touched.end == (try .at("2026-11-24T19:02:00Z")))
        #expect(try buckets("2026-11-24T18:45:00Z", "2026-11-24T19:00:00Z").resolution == .minute)
        #expect(try buckets("2026-11-24T18:44:59Z", "2026-11-24T19:00:00Z").resolution == .hour)
        #expect(try buckets("2026-11-16T21:00:00Z", "2026-11-24T21:00:00Z").resolution == .hour)
        #expect(try buckets("2026-11-16T21:00:00Z", "2026-11-24T21:00:01Z").resolution == .day)
        #expect(try buckets("2026-11-15T21:59:00Z", "2026-11-15T22:00:00Z").resolution == .day)
        #expect(try buckets("2026-10-16T00:00:00Z", "2026-10-17T00:00:00Z").starts.count == 1)
        #expect { try buckets("2026-10-15T23:59:59Z", "2026-10-17T00:00:00Z") } throws: { ($0 as? LimiterError)?.code == .badRequest }
        let coming = try buckets("2026-11-24T21:00:00Z", "2026-11-24T22:00:00Z")
        #expect(coming.end == (try .at("2026-11-24T22:00:00Z")))
    }

    @Test("sums by class, endpoint and limit, and passes over what is none of ours")
    func sums() throws {
        var report = UsageReport(from: .sample, to: .sample + .seconds(180), resolution: .minute)
        report.append(
            .sample,
            [
                ("allowed read", "10"), ("allowed write POST/clusters", "3"), ("denied write POST/clusters by POST/clusters", "2"),
                ("degraded read", "1"), ("nonsense", "99"), ("allowed read extra words", "99"), ("denied read by read", "-5"),
                ("denied write by write", "many"),
            ]
        )
        report.append(.sample + .seconds(60), [])
        report.append(.sample + .seconds(120), [("denied write by write", "4"), ("allowed read", "\(Int64.max)")])
        #expect(report.totals == UsageCounts(allowed: .max, denied: 6, degraded: 1))
        #expect(report.totals.total == .max)
        #expect(report.byClass == ["read": UsageCounts(allowed: .max, degraded: 1), "write": UsageCounts(allowed: 3, denied: 6)])
        #expect(report.byEndpoint == ["POST/clusters": UsageCounts(allowed: 3, denied: 2)])
        #expect(report.deniedByLimit == ["POST/clusters": 2, "write": 4])
        #expect(report.series.map(\.counts.denied) == [2, 0, 4])
        #expect(report.series.map(\.start) == [0, 60, 120].map { StoreTime.sample + .seconds($0) })
    }
}
