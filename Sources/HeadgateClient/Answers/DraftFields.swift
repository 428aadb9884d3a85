internal import HTTPTypes
internal import RawStructuredFieldValues

/// The fields of draft-ietf-httpapi-ratelimit-headers, in the three generations that servers send.
enum DraftFields {
    static func read(_ fields: HTTPFields, _ instants: Instants) -> [QuotaReading] {
        let policies = fields[.rateLimitPolicy].map(policies) ?? [:]
        guard let text = fields[.rateLimit] else { return generationA(fields, policies) }
        return generationB(text, policies) ?? generationC(text, policies)
    }

    /// What `RateLimit-Policy` says of one limit.
    private struct Policy {
        var quota: Int64
        var unit: QuotaReading.Unit = .requests
        var window: Duration?
    }

    /// `RateLimit-Limit`, `-Remaining`, `-Reset`: drafts 00 to 06.
    private static func generationA(_ fields: HTTPFields, _ policies: [String: Policy]) -> [QuotaReading] {
        guard let remaining = fields[.rateLimitRemaining].flatMap({ FieldText.count($0) }) else { return [] }
        let limit = fields[.rateLimitLimit].flatMap { $0.split { $0 == "," || $0 == ";" }.first }.flatMap { FieldText.count($0) }
        guard limit != 0 else { return [] }
        return [
            QuotaReading(
                name: "ratelimit \(limit ?? 0)",
                limit: limit,
                remaining: remaining,
                reset: fields[.rateLimitReset].flatMap { FieldText.number($0) }.flatMap { FieldText.seconds($0) },
                window: limit.flatMap { policies["\($0)"]?.window }
            )
        ]
    }

    /// `RateLimit: limit=100, remaining=50, reset=5`: draft 07; nil when it is not that.
    private static func generationB(_ text: String, _ policies: [String: Policy]) -> [QuotaReading]? {
        var parser = StructuredFieldValueParser(Array(text.utf8))
        guard let dictionary = try? parser.parseDictionaryFieldValue(), case .item(let item)? = dictionary["remaining"] else { return nil }
        guard let remaining = integer(item.rfc9651BareItem), remaining >= 0 else { return [] }
        let number = { (name: String) -> Int64? in
            guard case .item(let item)? = dictionary[name] else { return nil }
            return integer(item.rfc9651BareItem).flatMap { $0 >= 0 ? $0 : nil }
        }
        let limit = number("limit")
        return [
            QuotaReading(
                name: "ratelimit \(limit ?? 0)",
                limit: limit,
                remaining: remaining,
                reset: number("reset").flatMap { FieldText.seconds(Double($0)) },
                window: limit.flatMap { policies["\($0)"]?.window }
            )
        ]
    }

    /// `RateLimit: "burst";r=0;t=12, "daily";r=640;t=36400`: drafts 08 to 11.
    ///
    /// A malformed field is ignored whole.
    private static func generationC(_ text: String, _ policies: [String: Policy]) -> [QuotaReading] {
        var parser = StructuredFieldValueParser(Array(text.utf8))
        guard let list = try? parser.parseListFieldValue() else { return [] }
        var readings: [QuotaReading] = []
        for member in list.prefix(16) {
            guard case .item(let item) = member, case .string(let name) = item.rfc9651BareItem,
                let remaining = item.rfc9651Parameters["r"].flatMap(integer), remaining >= 0
            else { return [] }
            let policy = policies[name]
            let time = item.rfc9651Parameters["t"].flatMap(integer).flatMap { FieldText.seconds(Double($0)) }
            readings.append(
                QuotaReading(
                    name: "policy \(name.prefix(64))",
                    unit: policy?.unit ?? .requests,
                    limit: policy?.quota,
                    remaining: remaining,
                    reset: time,
                    window: policy?.window
                )
            )
        }
        return readings
    }

    /// The policies by name; those of generation A, `100;w=60`, by their quota.
    private static func policies(_ text: String) -> [String: Policy] {
        var parser = StructuredFieldValueParser(Array(text.utf8))
        guard let list = try? parser.parseListFieldValue() else { return [:] }
        var policies: [String: Policy] = [:]
        for member in list.prefix(16) {
            guard case .item(let item) = member else { return [:] }
            let parameters = item.rfc9651Parameters
            let window = parameters["w"].flatMap(integer).flatMap { $0 > 0 ? FieldText.seconds(Double($0)) : nil }
            switch item.rfc9651BareItem {
            case .string(let name):
                guard let quota = parameters["q"].flatMap(integer), quota >= 0 else { return [:] }
                policies[name] = Policy(quota: quota, unit: unit(parameters["qu"]), window: window)
            case .integer(let quota):
                policies["\(quota)"] = Policy(quota: Int64(quota), window: window)
            default:
                return [:]
            }
        }
        return policies
    }

    private static func unit(_ parameter: RFC9651BareItem?) -> QuotaReading.Unit {
        guard case .string(let unit)? = parameter else { return .requests }
        return unit == "concurrent-requests" ? .concurrency : unit == "requests" || unit == "request" ? .requests : .other
    }

    private static func integer(_ item: RFC9651BareItem) -> Int64? {
        guard case .integer(let value) = item else { return nil }
        return Int64(value)
    }
}
