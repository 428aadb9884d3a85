internal import Headgate
internal import HeadgateJSON

/// What a refusal's body says of the time to wait: `retry_after` and `reset_at`, as both seeds have them.
struct BodyHints: Sendable {
    /// More of a body is not read.
    static let mostBytes = 16 * 1_024

    /// The time to wait.
    private(set) var retryAfter: Duration?
    /// The epoch second at which more is there.
    private(set) var resetAt: Int64?

    /// Reads a body; what is no JSON object says nothing.
    init(_ body: [UInt8]) {
        guard !body.isEmpty, body.count <= BodyHints.mostBytes, let value = try? JSONParser.parse(body) else { return }
        look(at: value, depth: 1)
    }

    /// The first seed has them in `details`, others in `error`.
    private mutating func look(at value: JSONValue, depth: Int) {
        guard case .object(let members) = value, depth <= 3 else { return }
        for member in members {
            switch (member.name, member.value) {
            case ("retry_after", let value): retryAfter = retryAfter ?? seconds(value)
            case ("reset_at", .string(let text)): resetAt = resetAt ?? RFC3339.epochSecond(text)
            case (_, let value): look(at: value, depth: depth + 1)
            }
        }
    }

    private func seconds(_ value: JSONValue) -> Duration? {
        switch value {
        case .integer(let number): FieldText.seconds(Double(number))
        case .number(let text), .string(let text): FieldText.number(text).flatMap { FieldText.seconds($0) }
        default: nil
        }
    }
}
