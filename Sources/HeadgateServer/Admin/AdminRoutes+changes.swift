import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgatePolicy
import HeadgateProvider
import HeadgateUsage
import Hummingbird

extension AdminRoutes {
    func addChanges(to router: some RouterMethods<some RequestContext>) {
        router.put("/v1/accounts/:account/overrides") { request, context in
            try await answer {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let limit = try fields.text("limit")
                let value = fields.value("value") ?? .null
                try fields.finish()
                let override = try AccountOverride(json: value, at: "value")
                return try await shown(
                    try await store.setOverride(of: try account(context), limit: limit, to: override, by: AdminRoutes.actor)
                )
            }
        }
        router.delete("/v1/accounts/:account/overrides") { request, context in
            try await answer {
                guard let limit = request.uri.queryParameters["limit"] else {
                    throw AccountError(.invalid, "expected the id of a limit, found nothing", field: "limit")
                }
                return try await shown(
                    try await store.clearOverride(of: try account(context), limit: String(limit), by: AdminRoutes.actor)
                )
            }
        }
        router.post("/v1/accounts/:account/boosts") { request, context in
            try await answer(.created) {
                let boost = try BoostRequest(json: try await request.boundedBody(AdminRoutes.style))
                let id = try account(context)
                let granted = try await store.grantBoost(boost, for: id, by: AdminRoutes.actor)
                let running = try await store.account(id)?.boost(at: try await store.time())
                return JSONValue(granted, isRunning: running?.id == granted.id)
            }
        }
        router.delete("/v1/accounts/:account/boosts/:boost") { _, context in
            try await answer {
                let boost = try named("boost", context)
                return try await shown(try await store.endBoost(boost, of: try account(context), by: AdminRoutes.actor))
            }
        }
        router.post("/v1/limit-increases/:id/grant") { request, context in
            try await answer {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let overrides = try AccountOverride.overrides(json: fields.value("overrides"), at: "overrides")
                let text = try fields.optionalText("answer") ?? ""
                try fields.finish()
                let id = try named("id", context)
                return JSONValue(try await store.grantIncrease(id, overrides: overrides, answer: text, by: AdminRoutes.actor))
            }
        }
        router.post("/v1/limit-increases/:id/refuse") { request, context in
            try await answer {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let text = try fields.optionalText("answer") ?? ""
                try fields.finish()
                let id = try named("id", context)
                return JSONValue(try await store.refuseIncrease(id, answer: text, by: AdminRoutes.actor))
            }
        }
    }

    func addLooks(to router: some RouterMethods<some RequestContext>) {
        router.get("/v1/limit-increases") { request, _ in
            try await answer {
                let text = request.uri.queryParameters["status"].map { String($0) }
                let status = try text.map { (text) throws(AccountError) in
                    guard let status = LimitIncrease.Status(rawValue: text) else {
                        throw AccountError(.invalid, "expected one of open, granted, refused", field: "status")
                    }
                    return status
                }
                return ["limit_increases": .array(try await store.increases(status).map { JSONValue($0) })]
            }
        }
        router.get("/v1/accounts/:account/limits") { request, context in
            try await answer {
                let id = try account(context)
                guard let account = try await store.account(id) else { throw AccountError(.notFound, "there is no account '\(id)'") }
                let include = request.uri.queryParameters.getAll("include").map { String($0) }
                return try await provider.overview(of: try account.subject(at: try await store.time()), include: include)
            }
        }
        router.get("/v1/accounts/:account/usage") { request, context in
            try await answer {
                let id = try account(context)
                _ = try await shown(id)
                let period = try UsageQuery(request.uri.queryParameters).period
                return JSONValue(try await usage.report(for: try Identity(.account, id), period: period), of: id, policy: provider.policy)
            }
        }
        router.get("/v1/accounts/:account/audit") { _, context in
            try await answer {
                let id = try account(context)
                _ = try await shown(id)
                return ["audit": .array(try await store.audit(of: id).map { JSONValue($0) })]
            }
        }
        router.get("/v1/policy") { _, _ in
            try await answer { ["name": .string(provider.policy.name), "source": .string(policyText)] }
        }
    }
}
