internal import AsyncHTTPClient
internal import NIOHTTP1

/// Whether a request's body can be sent more than once.
public enum BodyReplay: Sendable, Hashable {
    /// When it is in memory as a whole; a stream is sent once.
    case whenInMemory
    /// The caller says that the body's sequence begins anew each time it is asked.
    case always
    /// Never.
    case never
}

extension Replay {
    private static let idempotent: [HTTPMethod] = [.GET, .HEAD, .OPTIONS, .TRACE, .PUT, .DELETE]

    /// What may be sent again of a request (RFC 9110 9.2.2); an `Idempotency-Key` lets the server tell repeats.
    init(_ request: HTTPClientRequest, body: BodyReplay) {
        isIdempotent = Replay.idempotent.contains(request.method) || request.headers.contains(name: "Idempotency-Key")
        isRepeatable =
            switch (request.body, body) {
            case (nil, _), (_, .always): true
            case (_, .never): false
            case (let body?, .whenInMemory): Replay.isInMemory(body)
            }
    }

    /// Whether a body is in memory.
    ///
    /// AsyncHTTPClient knows and does not tell, so its mode is looked at; what is not recognised is taken for a stream.
    private static func isInMemory(_ body: HTTPClientRequest.Body) -> Bool {
        guard let mode = Mirror(reflecting: body).descendant("mode") else { return false }
        guard let held = Mirror(reflecting: mode).children.first else { return false }
        switch held.label {
        case "byteBuffer": return true
        case "sequence": return Mirror(reflecting: held.value).descendant("canBeConsumedMultipleTimes") as? Bool ?? false
        default: return false
        }
    }
}
