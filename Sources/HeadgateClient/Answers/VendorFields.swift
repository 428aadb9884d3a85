internal import Headgate
internal import HTTPTypes

/// Fields of which there is a set for each limit: OpenAI's and Kong's with the limit at the end of the name, Anthropic's with it in the middle.
enum VendorFields {
    /// The most limits of one answer that are read.
    private static let mostLimits = 16

    static func read(_ fields: HTTPFields, _ instants: Instants) -> [QuotaReading] {
        var readings: [QuotaReading] = []
        for field in fields where readings.count < mostLimits {
            let name = field.name.canonicalName
            if name.hasPrefix("x-ratelimit-remaining-") {
                let limit = String(name.dropFirst("x-ratelimit-remaining-".count))
                readings += reading(limit, field.value, fields, instants) { "x-ratelimit-\($0)-\(limit)" }
            } else if name.hasPrefix("anthropic-ratelimit-"), name.hasSuffix("-remaining") {
                let limit = String(name.dropFirst("anthropic-ratelimit-".count).dropLast("-remaining".count))
                readings += reading(limit, field.value, fields, instants) { "anthropic-ratelimit-\(limit)-\($0)" }
            }
        }
        return readings
    }

    private static func reading(
        _ name: String,
        _ remaining: String,
        _ fields: HTTPFields,
        _ instants: Instants,
        field: (String) -> String
    ) -> [QuotaReading] {
        func value(_ part: String) -> String? { HTTPField.Name(field(part)).flatMap { fields[$0] } }
        // Azure has sent -1, and limits of 0 that limit nothing.
        guard let remaining = FieldText.count(remaining), !name.isEmpty, name.utf8.count <= 64 else { return [] }
        let limit = value("limit").flatMap { FieldText.count($0) }
        guard limit != 0 else { return [] }
        let window = FieldText.window(named: name)
        return [
            QuotaReading(
                name: name,
                unit: window != nil || name.hasSuffix("requests") ? .requests : .other,
                limit: limit,
                remaining: remaining,
                reset: value("reset").flatMap { reset($0, instants) },
                window: window
            )
        ]
    }

    /// A reset in RFC 3339, as an epoch, or as a duration.
    private static func reset(_ text: String, _ instants: Instants) -> Duration? {
        if let second = RFC3339.epochSecond(text) { return instants.time(untilEpochSecond: Double(second)) }
        return instants.time(untilReset: text) ?? FieldText.duration(text)
    }
}
