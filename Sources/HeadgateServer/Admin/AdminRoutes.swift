import Foundation
import HTTPTypes
import Headgate
import HeadgateAccounts
import HeadgateHTTP
import HeadgateJSON
import HeadgatePolicy
import HeadgateProvider
import HeadgateUsage
import Hummingbird

/// What operators do: accounts, keys, plans, overrides, boosts, requests for more, resets, and looks at all of them.
struct AdminRoutes {
    let provider: Provider
    let policyText: String
    let usage: UsageReader

    /// How answers look: problem details, without fields of limits.
    static let style = ResponseStyle(headers: [], errorBody: .problem)
    static let actor = Actor("admin API")

    var store: AccountStore { provider.directory.store }

    func add(to router: some RouterMethods<some RequestContext>) {
        addAccounts(to: router)
        addKeys(to: router)
        addChanges(to: router)
        addLooks(to: router)
    }

    private func addAccounts(to router: some RouterMethods<some RequestContext>) {
        router.get("/v1/accounts") { request, _ in
            try await answer {
                let page = try await store.accounts(from: request.uri.queryParameters["cursor"].map { String($0) } ?? "0")
                let now = try await store.time()
                return ["accounts": .array(page.accounts.map { JSONValue($0, at: now) }), "next_cursor": JSONValue(page.next)]
            }
        }
        router.post("/v1/accounts") { request, _ in
            try await answer(.created) {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let id = try fields.text("account")
                let tier = try fields.optionalText("tier")
                let overrides = try AccountOverride.overrides(json: fields.value("overrides"), at: "overrides")
                try fields.finish()
                let account = try await store.create(id, tier: tier, overrides: overrides, by: AdminRoutes.actor)
                return JSONValue(account, at: try await store.time())
            }
        }
        router.get("/v1/accounts/:account") { _, context in
            try await answer { try await shown(try account(context)) }
        }
        router.put("/v1/accounts/:account/tier") { request, context in
            try await answer {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let tier = try fields.text("tier")
                try fields.finish()
                return try await shown(try await store.setTier(of: try account(context), to: tier, by: AdminRoutes.actor))
            }
        }
        router.post("/v1/accounts/:account/reset") { request, context in
            try await answer {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let limit = try fields.optionalText("limit")
                try fields.finish()
                let limits = try await store.resetCounts(
                    of: try account(context),
                    limit: limit,
                    in: provider.limiter.store,
                    by: AdminRoutes.actor
                )
                return ["reset": .array(limits.map { .string($0) })]
            }
        }
    }

    private func addKeys(to router: some RouterMethods<some RequestContext>) {
        router.get("/v1/accounts/:account/keys") { _, context in
            try await answer { ["keys": .array(try await store.keys(of: try account(context)).map { JSONValue($0) })] }
        }
        router.post("/v1/accounts/:account/keys") { request, context in
            try await answer(.created) {
                var fields = try BodyFields(try await request.boundedBody(AdminRoutes.style))
                let name = try fields.optionalText("name") ?? ""
                let permissions = try fields.texts("permissions")
                try fields.finish()
                return JSONValue(
                    try await store.createKey(
                        for: try account(context),
                        permissions: Set(permissions),
                        name: name,
                        by: AdminRoutes.actor
                    )
                )
            }
        }
        router.delete("/v1/keys/:key") { _, context in
            try await answer { JSONValue(try await store.revokeKey(try named("key", context), by: AdminRoutes.actor)) }
        }
    }

    // MARK: Helpers

    /// What a path names, an account for instance.
    func named(_ parameter: String, _ context: some RequestContext) throws -> String {
        let text = try context.parameters.require(parameter)
        return text.removingPercentEncoding ?? text
    }

    func account(_ context: some RequestContext) throws -> String { try named("account", context) }

    func shown(_ id: String) async throws(AccountError) -> JSONValue {
        guard let account = try await store.account(id) else { throw AccountError(.notFound, "there is no account '\(id)'") }
        return try await shown(account)
    }

    func shown(_ account: Account) async throws(AccountError) -> JSONValue { JSONValue(account, at: try await store.time()) }

    /// The answer of a body, or of its error.
    func answer(_ status: HTTPResponse.Status = .ok, _ body: () async throws -> JSONValue) async throws -> Response {
        do {
            return Response(status: status, json: try await body())
        } catch let error as AccountError {
            throw RefusedRequest(error, AdminRoutes.style)
        } catch let error as LimiterError {
            throw RefusedRequest(AdminRoutes.style.refusal(for: error))
        }
    }
}
