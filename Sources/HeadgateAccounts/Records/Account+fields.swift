internal import Headgate
internal import HeadgateJSON
internal import HeadgatePolicy

/// How an account stands in its hash: plain fields, and a line of JSON for each override and boost.
///
///     id acme   tier pro   created 2026-11-24T21:45:00Z   revision 3
///     override:read   {"limit":"5000/hour","until":"2026-12-01T00:00:00Z","reason":"load test","by":"admin"}
///     boost:b7f2...   {"multiplier":"2","from":"...","until":"...","reason":"Data migration","by":"key 5r1d..."}
///     boosts:2026-11  1
///     increase        i9ac...
extension Account {
    /// The account in a hash; `nil` when the hash holds none.
    ///
    /// A field that cannot be read counts as absent.
    init?(fields: [String: String]) {
        guard let id = fields["id"], let revision = fields["revision"].flatMap({ Int64($0) }) else { return nil }
        self.init(
            id,
            tier: fields["tier"],
            created: fields["created"].flatMap { StoreTime(rfc3339: $0) } ?? StoreTime(microseconds: 0)
        )
        self.revision = revision
        openIncrease = fields["increase"]
        for (name, value) in fields {
            let parts = name.split(separator: ":", maxSplits: 1).map { String($0) }
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "override": overrides[parts[1]] = AccountOverride(line: value)
            case "boost": if let boost = Boost(parts[1], line: value) { boosts.append(boost) }
            case "boosts": boostsTaken[parts[1]] = Int64(value)
            default: break
            }
        }
        boosts.sort { ($0.from, $0.id) < ($1.from, $1.id) }
    }

    /// The hash's fields but the revision.
    var fields: [String: String] {
        var fields = ["id": id, "created": created.rfc3339]
        fields["tier"] = tier
        fields["increase"] = openIncrease
        for (limit, override) in overrides { fields["override:\(limit)"] = override.line }
        for boost in boosts { fields["boost:\(boost.id)"] = boost.line }
        for (month, count) in boostsTaken { fields["boosts:\(month)"] = String(count) }
        return fields
    }
}

extension AccountOverride {
    /// Reads a line; nil when it is none of ours.
    init?(line: String) {
        guard let value = try? JSONParser.parse(Array(line.utf8)), var fields = try? JSONFields(value, at: ""),
            let limit = (try? fields.string("limit")).flatMap({ try? LimitOverride(text: $0) })
        else { return nil }
        let until = (try? fields.string("until")) ?? nil
        // An end that cannot be read has come: an override is never longer than somebody meant it.
        self.init(
            limit,
            until: until.map { StoreTime(rfc3339: $0) ?? StoreTime(microseconds: 0) },
            reason: ((try? fields.string("reason")) ?? nil) ?? "",
            grantedBy: ((try? fields.string("by")) ?? nil) ?? ""
        )
    }

    /// The override in one line.
    var line: String {
        JSONValue.present([
            ("limit", .string(limit.text)), ("until", until.map { .string($0.rfc3339) }), ("reason", .string(reason)),
            ("by", .string(grantedBy)),
        ]).text
    }
}

extension Boost {
    /// Reads a line; nil when it is none of ours.
    init?(_ id: String, line: String) {
        guard let value = try? JSONParser.parse(Array(line.utf8)), var fields = try? JSONFields(value, at: ""),
            let multiplier = (try? fields.string("multiplier")).flatMap({ try? Multiplier($0) }),
            let from = (try? fields.string("from")).flatMap({ StoreTime(rfc3339: $0) }),
            let until = (try? fields.string("until")).flatMap({ StoreTime(rfc3339: $0) })
        else { return nil }
        self.init(
            id,
            multiplier: multiplier,
            from: from,
            until: until,
            reason: ((try? fields.string("reason")) ?? nil) ?? "",
            grantedBy: ((try? fields.string("by")) ?? nil) ?? ""
        )
    }

    /// The boost in one line.
    var line: String {
        JSONValue.present([
            ("multiplier", .string(multiplier.description)), ("from", .string(from.rfc3339)), ("until", .string(until.rfc3339)),
            ("reason", .string(reason)), ("by", .string(grantedBy)),
        ]).text
    }
}
