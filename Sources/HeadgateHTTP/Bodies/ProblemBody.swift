import Headgate
import HTTPTypes
import HeadgateJSON

extension Refusal {
    /// Problem details (RFC 9457 3) with the types and the extension member of draft-ietf-httpapi-ratelimit-headers-11.
    ///
    /// `violated-policies` holds the ids of all limits that deny, the names that `RateLimit-Policy` knows them by. A 503 has
    /// none: no limit was judged. An error has the type `about:blank`, so that its title is the status' phrase (RFC 9457 4.2.1),
    /// its `code`, and the `field` at fault.
    var problemBody: JSONValue {
        switch self {
        case .denied(let decision):
            let violated = decision.limits.filter { $0.verdict == .denied }
            return problem(
                type: Refusal.registry + "quota-exceeded",
                title: "Request cannot be satisfied as assigned quota has been exceeded",
                extension: ("violated-policies", .array(violated.map { .string($0.id) }))
            )
        case .unavailable:
            return problem(
                type: Refusal.registry + "temporary-reduced-capacity",
                title: "Request cannot be satisfied due to temporary server capacity constraints",
                extension: ("violated-policies", nil)
            )
        case .failed(let failure):
            return problem(
                type: "about:blank",
                title: status.reasonPhrase,
                extension: ("code", .string(failure.code)),
                ("field", field.map(JSONValue.string))
            )
        }
    }

    private static let registry = "https://iana.org/assignments/http-problem-types#"

    private func problem(type: String, title: String, extension members: (name: String, value: JSONValue?)...) -> JSONValue {
        let standard: [(name: String, value: JSONValue?)] = [
            ("type", .string(type)),
            ("title", .string(title)),
            ("status", .integer(Int64(status.code))),
            ("detail", .string(sentence)),
        ]
        return .present(standard + members)
    }
}
