import HTTPTypes
import HeadgateJSON
import Headgate
import HeadgateHTTP
import HeadgateProvider
import Hummingbird

/// `GET /livez`, the process answers, and `GET /readyz`, it can make decisions.
struct HealthRoutes {
    let readiness: Readiness

    func add(to router: some RouterMethods<some RequestContext>) {
        router.get("/livez") { _, _ in Response(json: ["live": .boolean(true)]) }
        router.get("/readyz") { _, _ in await ready() }
    }

    private func ready() async -> Response {
        do throws(Readiness.Refusal) {
            try await readiness.check()
            return Response(json: ["ready": .boolean(true)])
        } catch {
            var response = Response(status: .serviceUnavailable, json: ["ready": .boolean(false), "reason": .string(error.reason)])
            response.headers[.retryAfter] = String(Decision.unavailableRetrySeconds)
            return response
        }
    }
}
