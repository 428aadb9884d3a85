internal import HTTPTypes
internal import NIOHTTP1

extension ClientError {
    /// The error that a refusal becomes when it stays one.
    init(_ reading: Reading, attempts: Int) {
        self.init(
            reading.outcome == .limited ? .rateLimited : .unavailable,
            reading.outcome == .limited ? "a limit denied the request" : "the server cannot serve now",
            attempts: attempts,
            status: reading.status,
            retryAfter: reading.retryAfter
        )
    }

    /// The same with the number of attempts.
    func counting(_ attempts: Int) -> ClientError {
        ClientError(code, message, attempts: attempts, status: status, retryAfter: retryAfter, cause: cause)
    }

    /// The same, after an attempt that failed: that is why the call waited, so its status and time are told.
    func following(_ last: ClientError?, attempts: Int) -> ClientError {
        ClientError(
            code == .deadlineExceeded ? last?.code ?? code : code,
            message,
            attempts: attempts,
            status: status ?? last?.status,
            retryAfter: retryAfter ?? last?.retryAfter,
            cause: cause ?? last?.cause
        )
    }
}

extension Failure {
    /// How an answer failed; nil when it did not.
    init?(_ reading: Reading) {
        switch reading.outcome {
        case .served: return nil
        case .limited: self = .limited(retryAfter: reading.retryAfter)
        case .unavailable: self = .unavailable(retryAfter: reading.retryAfter)
        }
    }
}

extension HTTPFields {
    /// The fields of an answer; those whose names are no tokens are left out.
    init(_ headers: HTTPHeaders) {
        self.init()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { append(HTTPField(name: name, value: value)) }
        }
    }
}
