import HTTPTypes
import Headgate
package import HeadgateAccounts
package import HeadgateJSON
package import HeadgatePolicy
package import HeadgateUsage
package import Hummingbird
import NIOCore

extension JSONValue {
    /// A boost as the APIs answer it.
    package init(_ boost: Boost, isRunning: Bool) {
        self = [
            "id": .string(boost.id), "multiplier": .number(boost.multiplier.description), "reason": .string(boost.reason),
            "starts_at": .string(boost.from.rfc3339), "ends_at": .string(boost.until.rfc3339), "active": .boolean(isRunning),
        ]
    }

    /// A request for more as the APIs answer it.
    package init(_ increase: LimitIncrease) {
        guard case .object(let members) = increase.json else {
            self = nil
            return
        }
        self = .object([Member(name: "id", value: .string(increase.id))] + members)
    }

    /// An account's use, as `GET /analytics/api-usage` answers it.
    package init(_ report: UsageReport, of account: String, policy: Policy) {
        let classes = Dictionary(policy.definition.classes.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        let endpoints = Dictionary(policy.definition.endpoints.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        func named(_ counts: [String: UsageCounts], _ names: [String: String]) -> JSONValue {
            .object(counts.sorted { $0.key < $1.key }.map { Member(name: names[$0.key] ?? $0.key, value: JSONValue($0.value)) })
        }
        let names = classes.merging(endpoints) { first, _ in first }
        self = [
            "account": .string(account),
            "from": .string(report.from.rfc3339),
            "to": .string(report.to.rfc3339),
            "resolution": .string(report.resolution.rawValue),
            "totals": JSONValue(report.totals),
            "by_class": named(report.byClass, classes),
            "by_endpoint": named(report.byEndpoint, endpoints),
            "denied_by_limit": .object(
                report.deniedByLimit.sorted { $0.key < $1.key }.map { Member(name: names[$0.key] ?? $0.key, value: .integer($0.value)) }
            ),
            "series": .array(
                report.series.map { bucket in
                    [
                        "start": .string(bucket.start.rfc3339), "allowed": .integer(bucket.counts.allowed),
                        "denied": .integer(bucket.counts.denied), "degraded": .integer(bucket.counts.degraded),
                    ]
                }
            ),
        ]
    }

    private init(_ counts: UsageCounts) {
        self = ["allowed": .integer(counts.allowed), "denied": .integer(counts.denied), "degraded": .integer(counts.degraded)]
    }
}

extension Response {
    /// An answer with a JSON body.
    package init(status: HTTPResponse.Status = .ok, json: JSONValue, contentType: String = "application/json") {
        self.init(status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }
}
