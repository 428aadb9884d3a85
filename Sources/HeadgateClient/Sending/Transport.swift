internal import AsyncHTTPClient
internal import Logging
internal import NIOCore
internal import NIOHTTP1

/// What carries one request to its server.
protocol Transport: Sendable {
    /// Sends a request; returns with the head of the answer. Cancelling the task ends it.
    func send(_ request: HTTPClientRequest, within time: Duration, logger: Logger?) async throws -> HTTPClientResponse
}

extension HTTPClient: Transport {
    func send(_ request: HTTPClientRequest, within time: Duration, logger: Logger?) async throws -> HTTPClientResponse {
        try await execute(request, timeout: TimeAmount(time), logger: logger)
    }
}

extension Failure {
    /// What an error of AsyncHTTPClient says of a request.
    init(_ error: any Error) {
        guard let error = error as? HTTPClientError else {
            self = .broken
            return
        }
        let wrong: [HTTPClientError] = [
            .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath, .alreadyShutdown, .contentLengthMissing, .bodyLengthMismatch,
            .identityCodingIncorrectlyPresent, .traceRequestWithBody,
            .redirectLimitReached, .redirectCycleDetected, .proxyAuthenticationRequired,
        ]
        let isWrong =
            wrong.contains(error)
            || ["Unsupported scheme", "Invalid header field names", "Invalid header field values"].contains(error.shortDescription)
        self = isWrong ? .invalid : .broken
    }
}
