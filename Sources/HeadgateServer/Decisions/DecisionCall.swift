import HeadgateJSON
import Headgate

/// What a `POST /v1/decisions` asks: one decision, or a list of independent ones.
struct DecisionCall {
    /// One group for each decision; the requests of a group are all or nothing.
    var groups: [RequestGroup]

    /// Where each group stands in the body, for errors: `requests[3]`.
    let paths: [String]

    /// Whether the answer is a list.
    let shape: Shape

    enum Shape { case single, batch }

    /// The most requests of a call, those of all-or-nothing items counted one by one.
    static let mostRequests = 64

    /// Reads a body.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` naming the field; nothing is charged then.
    init(_ body: [UInt8]) throws(LimiterError) {
        let value = try JSONParser.parse(body)
        var fields = try JSONFields(value, at: "")
        guard let items = try fields.array("requests") else {
            groups = [try DecisionCall.item(fields)]
            paths = [""]
            shape = .single
            return
        }
        try fields.finish(expecting: "requests alone, or the fields of one request")
        try DecisionCall.check(count: items.count, at: "requests")
        var groups: [RequestGroup] = []
        for (index, item) in items.enumerated() {
            groups.append(try DecisionCall.group(JSONFields(item, at: "requests[\(index)]")))
        }
        try DecisionCall.check(count: groups.map(\.requests.count).reduce(0, +), at: "requests")
        self.groups = groups
        paths = items.indices.map { "requests[\($0)]" }
        shape = .batch
    }

    /// An item of a batch: one request, or several that are all or nothing.
    private static func group(_ fields: JSONFields) throws(LimiterError) -> RequestGroup {
        var fields = fields
        guard let items = try fields.array("requests") else { return try item(fields) }
        let effect = try effect(&fields)
        try fields.finish(expecting: "requests, peek")
        try check(count: items.count, at: fields.path(of: "requests"))
        var requests: [LimitRequest] = []
        for (index, item) in items.enumerated() {
            var item = try JSONFields(item, at: fields.path(of: "requests[\(index)]"))
            requests.append(try request(&item))
            try item.finish(expecting: "subject, method, path, cost, priority; peek stands beside requests")
        }
        return RequestGroup(requests, effect: effect)
    }

    private static func item(_ fields: JSONFields) throws(LimiterError) -> RequestGroup {
        var fields = fields
        let request = try request(&fields)
        let effect = try effect(&fields)
        try fields.finish(expecting: "subject, method, path, cost, priority, peek")
        return RequestGroup([request], effect: effect)
    }

    private static func request(_ fields: inout JSONFields) throws(LimiterError) -> LimitRequest {
        guard let subject = try fields.object("subject") else {
            throw LimiterError(.badRequest, "\(fields.path(of: "subject")) is missing; expected an object with an account")
        }
        let cost = try fields.integer("cost")
        guard cost != 0 else {
            throw LimiterError(.badRequest, "\(fields.path(of: "cost")) is 0; expected 1 or more; to look without taking, set peek to true")
        }
        if let cost, cost < 0 { throw LimiterError(.badRequest, "\(fields.path(of: "cost")) is \(cost); expected 1 or more") }
        return LimitRequest(
            subject: try Subject(json: subject),
            endpoint: Endpoint(method: try fields.requiredString("method"), path: try fields.requiredString("path")),
            cost: cost.map { .units($0) } ?? .ofEndpoint,
            priority: try fields.string("priority").map { Priority($0) } ?? .normal
        )
    }

    private static func effect(_ fields: inout JSONFields) throws(LimiterError) -> Charge.Effect {
        try fields.boolean("peek") == true ? .observe : .take
    }

    private static func check(count: Int, at path: String) throws(LimiterError) {
        guard (1...mostRequests).contains(count) else {
            throw LimiterError(.badRequest, "\(path) holds \(count) requests; expected 1 to \(mostRequests)")
        }
    }
}
