import HTTPTypes
import Headgate
import HeadgateHTTP

/// 2024-01-15T10:30:00Z, half an hour before the first seed's `reset_at`.
let halfPastTen = StoreTime(microseconds: 1_705_314_600_000_000)

extension LimitStatus {
    /// A limit of 100 in an hour, 99 left, the next unit in 30 minutes.
    static func hourly(
        _ id: String = "read",
        role: AppliedLimit.Role = .operationClass,
        verdict: Verdict = .allowed,
        units: Int64 = 100,
        window: Duration = .seconds(3_600),
        remaining: Int64 = 99,
        nextUnit: Duration = .seconds(1_800),
        retryAfter: Duration? = .zero
    ) throws -> LimitStatus {
        LimitStatus(
            id: id,
            name: id + "_operations",
            role: role,
            verdict: verdict,
            algorithm: try .slidingWindowCounter(units, per: window),
            remaining: remaining,
            nextUnit: nextUnit,
            full: window,
            retryAfter: retryAfter
        )
    }

    /// The same with nothing left, denying for a time; for ever when `retryAfter` is `nil`.
    static func exhausted(_ id: String = "read", retryAfter: Duration? = .seconds(1_800)) throws -> LimitStatus {
        try hourly(id, verdict: .denied, remaining: 0, nextUnit: .seconds(7), retryAfter: retryAfter)
    }

    /// Twenty slots.
    static func slots(_ verdict: Verdict = .allowed, remaining: Int64 = 19, retryAfter: Duration? = .zero) throws -> LimitStatus {
        LimitStatus(
            id: "concurrency",
            name: "concurrency",
            role: .concurrency,
            verdict: verdict,
            algorithm: try .concurrency(20),
            remaining: remaining,
            nextUnit: .seconds(30),
            full: .seconds(30),
            retryAfter: retryAfter
        )
    }

    /// A limit in shadow mode with room, as the store judges it.
    static func shadow() throws -> LimitStatus {
        let limit = try Limit("trial", .fixedWindow(100, per: .seconds(60)), mode: .shadow)
        let charge = Charge(limit, identity: try Identity(.account, "acme"))
        let reading = Reading(fit: 1, remaining: 1, retryAfter: 0, nextUnit: 1, full: 1, stamp: 1)
        return LimitStatus(AppliedLimit(name: "trial", role: .endpoint, id: "trial", charge: charge), charge: charge, reading: reading)
    }

    static let unlimited = LimitStatus(unjudged: AppliedLimit(name: "training", role: .operationClass, id: "training", charge: nil))
}

extension Decision {
    static func allowed(_ limits: [LimitStatus], at time: StoreTime = halfPastTen) -> Decision {
        Decision(outcome: .allowed, limits: limits, time: time)
    }

    static func denied(_ limits: [LimitStatus], at time: StoreTime = halfPastTen) -> Decision {
        Decision(outcome: .denied, limits: limits, time: time)
    }

    /// Without the store, of a limit that it could not judge.
    static func degraded(_ outcome: Outcome, _ code: LimiterError.Code = .deadlineExceeded) throws -> Decision {
        let limit = try Limit("read", .fixedWindow(100, per: .seconds(60)))
        let charge = Charge(limit, identity: try Identity(.account, "acme"))
        let applied = AppliedLimit(name: "read", role: .operationClass, id: "read", charge: charge)
        return Decision(
            outcome: outcome,
            limits: [LimitStatus(unjudged: applied)],
            time: nil,
            degradation: LimiterError(code, "redis-7.internal:6379 said nothing")
        )
    }
}

extension Decision {
    /// Denied by a quarter of a limit of 100 a minute, which the process has used up without the store.
    static func deniedLocally() throws -> Decision {
        let limit = try Limit("read", .fixedWindow(100, per: .seconds(60)), onRedisFailure: .local)
        let charge = Charge(limit, identity: try Identity(.account, "acme"))
        let applied = AppliedLimit(name: "read", role: .operationClass, id: "read", charge: charge)
        let reading = Reading(fit: 0, remaining: 0, retryAfter: 40_000_000, nextUnit: 40_000_000, full: 40_000_000, stamp: 0)
        return Decision(
            outcome: .denied,
            limits: [LimitStatus(applied, charge: charge, reading: reading, share: 25)],
            time: nil,
            degradation: LimiterError(.connect, "redis-7.internal:6379 refused"),
            degradedBy: .local
        )
    }
}

extension HTTPFields {
    /// `Name: value` for each field, in order, as over HTTP/1.1.
    var lines: [String] { map { "\($0.name.rawName): \($0.value)" } }
}

extension HTTPRefusal {
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// A JSON text without the whitespace outside its strings.
func compact(_ json: String) -> String {
    var isQuoted = false
    var isEscaped = false
    return String(
        json.unicodeScalars.filter { scalar in
            defer {
                if scalar == "\"", !isEscaped { isQuoted.toggle() }
                isEscaped = scalar == "\\" && !isEscaped
            }
            return isQuoted || !scalar.properties.isWhitespace
        }.map(Character.init)
    )
}

/// Random numbers that are the same in every run (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
