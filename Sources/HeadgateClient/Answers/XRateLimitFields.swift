internal import HTTPTypes

/// The `X-RateLimit` fields: both seeds', GitHub's with its resource, and Envoy's, whose limit is a list.
enum XRateLimitFields {
    static func read(_ fields: HTTPFields, _ instants: Instants) -> [QuotaReading] {
        guard let remaining = fields[.xRateLimitRemaining].flatMap({ FieldText.count($0) }) else { return [] }
        // `10, 10;w=1;name="per-ip", 1000;w=3600` begins with the limit that binds.
        let limit = fields[.xRateLimitLimit].flatMap { $0.split(separator: ",").first }.flatMap { FieldText.count($0) }
        guard limit != 0 || remaining == 0 else { return [] }
        let window = fields[.xRateLimitWindow].flatMap { FieldText.count($0) }.flatMap { $0 > 0 ? Duration.seconds($0) : nil }
        let resource = fields[.xRateLimitResource] ?? limit.map { "\($0)" } ?? ""
        return [
            QuotaReading(
                name: "x-ratelimit \(resource.prefix(64))",
                limit: limit,
                remaining: remaining,
                reset: fields[.xRateLimitReset].flatMap { instants.time(untilReset: $0) },
                window: window
            )
        ]
    }
}
