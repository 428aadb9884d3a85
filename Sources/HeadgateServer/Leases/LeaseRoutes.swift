import HeadgateJSON
import HTTPTypes
import Headgate
import HeadgateProvider
import Hummingbird

/// `POST /v1/leases/{id}/renew` and `DELETE /v1/leases/{id}`: how a service keeps and returns the slots of a decision.
struct LeaseRoutes {
    let limiter: Limiter

    func add(to router: some RouterMethods<some RequestContext>) {
        router.post("/v1/leases/:id/renew") { _, context in try await renew(context.parameters.require("id")) }
        router.delete("/v1/leases/:id") { _, context in try await release(context.parameters.require("id")) }
    }

    private func renew(_ token: String) async throws -> Response {
        do {
            let lease = try LeaseToken.lease(token)
            try await limiter.renew(lease)
            return Response(json: ["time_to_live_ms": JSONValue(lease.timeToLive.millisecondsRoundedUp)])
        } catch {
            throw Problem(error)
        }
    }

    private func release(_ token: String) async throws -> Response {
        do throws(LimiterError) {
            switch try await limiter.release(try LeaseToken.lease(token)) {
            case .released: return Response(status: .noContent)
            case .notHeld: throw LimiterError(.leaseLost, "the lease is not held")
            }
        } catch {
            throw Problem(error)
        }
    }
}
