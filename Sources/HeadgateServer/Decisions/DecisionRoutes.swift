import HeadgateJSON
import HTTPTypes
import Headgate
import HeadgateProvider
import Hummingbird
import NIOCore

/// `POST /v1/decisions`: judges what a service describes, for services that do not link the library.
struct DecisionRoutes {
    let limiter: Limiter
    let subjects: SubjectFinder

    /// Larger bodies are refused unread.
    static let mostBodyBytes = 64 * 1024

    func add(to router: some RouterMethods<some RequestContext>) {
        router.post("/v1/decisions") { request, _ in try await decide(request) }
    }

    private func decide(_ request: Request) async throws -> Response {
        let body = try await DecisionRoutes.body(of: request)
        do {
            let call = try await DecisionCall(body).completed(by: subjects)
            let decisions = try await judge(call)
            for (group, decision) in zip(call.groups, decisions) where group.effect == .take {
                for identity in Set(group.requests.map(\.subject.identity)) { subjects.note(decision, for: identity) }
            }
            switch call.shape {
            case .single: return Response(json: decisions.first.map { JSONValue($0) } ?? nil)
            case .batch: return Response(json: ["decisions": .array(decisions.map { JSONValue($0) })])
            }
        } catch let error as LimiterError {
            throw Problem(error)
        }
    }

    private func judge(_ call: DecisionCall) async throws(LimiterError) -> [Decision] {
        do {
            return try await limiter.decide(call.groups)
        } catch {
            throw call.located(error, by: limiter.rules)
        }
    }

    private static func body(of request: Request) async throws -> [UInt8] {
        let tooLarge = Problem(.contentTooLarge, "body_too_large", "the body is larger than \(mostBodyBytes) bytes")
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > mostBodyBytes { throw tooLarge }
        do {
            return Array(try await request.body.collect(upTo: mostBodyBytes).readableBytesView)
        } catch is NIOTooManyBytesError {
            throw tooLarge
        }
    }
}

extension DecisionCall {
    /// The call with what the accounts' records say of its subjects.
    fileprivate func completed(by subjects: SubjectFinder) async throws -> DecisionCall {
        var call = self
        for group in call.groups.indices {
            for request in call.groups[group].requests.indices {
                let subject = call.groups[group].requests[request].subject
                call.groups[group].requests[request].subject = try await subjects.completed(subject)
            }
        }
        return call
    }

    /// An error of the rules with the place of the request that it is about: they do not know it.
    fileprivate func located(_ error: LimiterError, by rules: any RuleSet) -> LimiterError {
        for (path, group) in zip(paths, groups) where !path.isEmpty {
            for request in group.requests {
                do throws(LimiterError) {
                    _ = try rules.limits(for: request)
                } catch {
                    return LimiterError(error.code, "\(path): \(error.message)", charge: error.charge)
                }
            }
        }
        return error
    }
}
