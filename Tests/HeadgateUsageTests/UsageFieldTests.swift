import Headgate
import Testing

@testable import HeadgateUsage

@Suite("What a decision is counted as")
struct UsageFieldTests {
    @Test("is one field in plain words, which reads back")
    func texts() throws {
        let cases: [(Decision, String)] = [
            (try decision(class: "read"), "allowed read"),
            (try decision(endpoint: "POST/clusters"), "allowed write POST/clusters"),
            (try decision(.denied), "denied write by write"),
            (try decision(.denied, endpoint: "POST/clusters"), "denied write POST/clusters by POST/clusters"),
            (try decision(class: "read", degraded: true), "degraded read"),
            (try decision(.unavailable, class: "read", degraded: true), "degraded read"),
            // What is denied for good is denied, with or without a store.
            (try decision(.denied, degraded: true), "denied write by write"),
            (Decision(outcome: .allowed, limits: [], time: .sample), "allowed -"),
        ]
        for (decision, text) in cases {
            let field = UsageField(decision)
            #expect(field.text == text)
            #expect(UsageField(text) == field)
        }
    }

    @Test("names rules that are called like our own words")
    func confusingNames() {
        for field in [
            UsageField(outcome: .denied, operationClass: "by", endpoint: "by", limit: "by"),
            UsageField(outcome: .denied, operationClass: "by", endpoint: nil, limit: "denied"),
            UsageField(outcome: .allowed, operationClass: "allowed", endpoint: "by", limit: nil),
            UsageField(outcome: .denied, operationClass: "write", endpoint: "by", limit: nil),
        ] {
            #expect(UsageField(field.text) == field, "\(field.text)")
        }
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "allowed", "allowed ", " allowed read", "allowed  read", "refused read", "allowed a b c", "denied a b c",
            "denied a b c by d", "allowed read by read",
        ]
    )
    func foreign(text: String) { #expect(UsageField(text) == nil) }

    @Test("stands under names that say when, and sort by it")
    func keys() throws {
        let time = try StoreTime.at("2026-11-24T21:45:59Z")
        let acme = try Identity.acme()
        let keys = UsageResolution.allCases.map { $0.key(of: acme, at: time, prefix: "hg") }
        #expect(
            keys == [
                "hg:{a:acme}:usage-minute-2026-11-24T21.45", "hg:{a:acme}:usage-hour-2026-11-24T21", "hg:{a:acme}:usage-day-2026-11-24",
            ]
        )
    }
}
