import NIOHTTP1

/// What the requests of a connection ask of their answers' form: which end without a body, and which end the connection.
///
/// The response encoder knows neither a request's method nor its version, and takes every answer for one to `GET` over HTTP/1.1.
struct AnswerFraming {
    private struct Request {
        let isHead: Bool
        let isOld: Bool
        var isLast: Bool
        var hidesEnd = false
        var isEndedByClose = false
    }

    /// The requests without an answer, the oldest first.
    private var requests: [Request] = []

    /// Whether an answer has begun whose end is the connection's, as only HTTP/1.0 has it.
    var isEndedByClose: Bool { requests.first?.isEndedByClose ?? false }

    /// Takes in a request's head.
    mutating func request(_ head: HTTPRequestHead) {
        let options = head.headers[canonicalForm: "Connection"].map { $0.lowercased() }
        let isOld = head.version == .http1_0
        // The parser reads nothing behind a request for another protocol.
        let isLast = isOld || options.contains("close") || options.contains("upgrade") || head.method == .CONNECT
        requests.append(Request(isHead: head.method == .HEAD, isOld: isOld, isLast: isLast))
    }

    /// Lets the answer to the newest request be the connection's last.
    mutating func endAfterAnswer() {
        if !requests.isEmpty { requests[requests.count - 1].isLast = true }
    }

    /// Gives an answer's head the form that its request asks for.
    mutating func answer(_ head: inout HTTPResponseHead) {
        guard head.status.code >= 200, let request = requests.first else { return }
        if request.isOld { head.version = .http1_0 }
        if request.isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        // Without a length the encoder announces chunks, and would write the last one where no body may stand.
        let hasLength = head.headers.contains(name: "Content-Length") || !head.status.mayHaveResponseBody
        requests[0].hidesEnd = request.isHead && !request.isOld && !hasLength
        requests[0].isEndedByClose = request.isOld && !request.isHead && !hasLength
    }

    /// Takes the end of the oldest request's answer.
    ///
    /// - Returns: Whether the end must not be written, and whether the connection ends with it.
    mutating func answerEnd() -> (isHidden: Bool, isLast: Bool) {
        // An answer without a request is Hummingbird's 400 to what could not be read.
        guard let request = requests.first else { return (false, true) }
        requests.removeFirst()
        return (request.hidesEnd, request.isLast)
    }
}
