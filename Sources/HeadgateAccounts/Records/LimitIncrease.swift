public import Headgate
package import HeadgateJSON

/// A customer's request for more than its tier gives, with what support asks for.
public struct LimitIncrease: Sendable, Hashable {
    /// The request's name.
    public let id: String
    /// Who asks.
    public let account: String
    /// The plan at the time of asking.
    public var tier: String
    /// How many requests are expected.
    public var expectedVolume: String
    /// What for.
    public var useCase: String
    /// By when, and for how long.
    public var timeline: String
    /// When it was asked, by Redis' clock.
    public var created: StoreTime
    /// What became of it.
    public var status: Status
    /// What whoever answered said.
    public var answer: String
    /// Who answered.
    public var answeredBy: String

    /// What became of a request.
    public enum Status: String, Sendable, Hashable, CaseIterable, Codable {
        /// Nobody has answered.
        case open
        /// The account got limits of its own.
        case granted
        /// It did not.
        case refused
    }
}

extension LimitIncrease {
    /// Reads a line of the list; nil when it is none of ours.
    init?(_ id: String, line: String) {
        guard let value = try? JSONParser.parse(Array(line.utf8)), var fields = try? JSONFields(value, at: "") else { return nil }
        func text(_ name: String) -> String { ((try? fields.string(name)) ?? nil) ?? "" }
        self.id = id
        account = text("account")
        tier = text("tier")
        expectedVolume = text("expected_volume")
        useCase = text("use_case")
        timeline = text("timeline")
        created = StoreTime(rfc3339: text("created")) ?? StoreTime(microseconds: 0)
        guard let status = Status(rawValue: text("status")), !account.isEmpty else { return nil }
        self.status = status
        answer = text("answer")
        answeredBy = text("answered_by")
    }

    /// The request in one line, also as the APIs answer it.
    package var json: JSONValue {
        [
            "account": .string(account), "tier": .string(tier), "expected_volume": .string(expectedVolume), "use_case": .string(useCase),
            "timeline": .string(timeline), "created": .string(created.rfc3339), "status": .string(status.rawValue),
            "answer": .string(answer), "answered_by": .string(answeredBy),
        ]
    }
}
