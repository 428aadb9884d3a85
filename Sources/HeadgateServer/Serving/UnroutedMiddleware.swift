import HTTPTypes
import Hummingbird

/// Answers what no route takes: 405 with `Allow` where the path has other methods, else 404.
///
/// Added to a router behind all of its routes, it stands before none of them, and behind all other middleware.
struct UnroutedMiddleware<Context: RequestContext>: RouterMiddleware {
    private let paths: [(path: RouterPath, allow: String)]

    /// - Parameter routes: All routes of the router.
    init(_ routes: [Router<Context>.RouteDescription]) {
        let methods = Dictionary(grouping: routes) { $0.path.description }
        paths = methods.values.compactMap { routes in
            var methods = Set(routes.map(\.method.rawValue))
            // The router makes it of every GET, once it is built.
            if methods.contains("GET") { methods.insert("HEAD") }
            return routes.first.map { ($0.path, methods.sorted().joined(separator: ", ")) }
        }
    }

    func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        // By segments, as the router goes: it passes over empty ones.
        let segments = request.uri.path.split(separator: "/")
        let known = paths.first { known in
            known.path.count == segments.count && zip(known.path, segments).allSatisfy { $0 ~= $1 }
        }
        guard let known else { throw Problem(.notFound, "not_found", "there is nothing at this path") }
        var problem = Problem(.methodNotAllowed, "method_not_allowed", "the method is not allowed here; expected one of \(known.allow)")
        problem.fields[.allow] = known.allow
        throw problem
    }
}
