import AsyncHTTPClient
import HTTPTypes
import HeadgateHTTP
public import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

extension ReverseProxy {
    /// Passes a request on, and returns the answer as soon as its head is there.
    ///
    /// The response has to be written, or the connection closed: the request's body may still be read.
    ///
    /// - Parameters:
    ///   - request: The request, whose body nobody has begun to read.
    ///   - client: The connection that it came over.
    /// - Returns: The upstream's answer, whose body is read while it is written.
    /// - Throws: ``GatewayError`` when there is no answer.
    public func forward(_ request: Request, from client: ClientConnection) async throws(GatewayError) -> Response {
        guard !request.head.wantsUpgrade else { throw GatewayError(.upgrade) }
        let exchange = Exchange(target: try upstream.target(of: request.head))
        let upload = Upload(request.body, from: client, for: exchange)
        client.watch { exchange.abandon() }
        do {
            let answer = try await answer(to: request.head, from: client.peer, upload, exchange)
            return try response(answer, to: request.method, client, upload, exchange)
        } catch {
            client.unwatch()
            await upload.close()
            let error = exchange.isAbandoned ? GatewayError(.clientGone) : GatewayError(error, wasConnected: exchange.wasConnected)
            logger.debug("Request not passed on", metadata: ["error.code": "\(error.code)", "error.cause": "\(error.cause ?? error)"])
            throw error
        }
    }

    /// The upstream's answer, asked for a second time when the first met a connection that was just being closed.
    private func answer(
        to head: HTTPRequest,
        from peer: NetworkAddress?,
        _ upload: Upload,
        _ exchange: Exchange
    ) async throws -> HTTPClientResponse {
        var request = HTTPClientRequest(url: upstream.origin + "/")
        request.method = HTTPMethod(rawValue: head.method.rawValue)
        request.headers = HTTPHeaders(head.forwardedFields(from: peer, trust: trust))
        if upstream.hostField == .client, let authority = head.authority { request.headers.add(name: "Host", value: authority) }
        request.body = head.bodyLength.map { .stream(upload, length: $0) }
        do {
            return try await send(request, exchange)
        } catch {
            let isStale = exchange.wasReused && request.body == nil && [.get, .head, .options].contains(head.method) && isLoss(error)
            guard isStale || (!exchange.wasConnected && isLoss(error)), !exchange.isAbandoned else { throw error }
            return try await send(request, exchange)
        }
    }

    private func send(_ request: HTTPClientRequest, _ exchange: Exchange) async throws -> HTTPClientResponse {
        var request = request
        let number = exchanges.add(exchange, to: &request.headers)
        defer { exchanges.remove(number) }
        return try await client.execute(request, deadline: .distantFuture)
    }

    /// Whether a connection was closed, rather than answered wrongly or too late.
    private func isLoss(_ error: any Error) -> Bool {
        switch error {
        case let error as HTTPClientError: error == .remoteConnectionClosed
        case is IOError, ChannelError.ioOnClosedChannel, ChannelError.eof, ChannelError.alreadyClosed: true
        default: false
        }
    }

    private func response(
        _ answer: HTTPClientResponse,
        to method: HTTPRequest.Method,
        _ client: ClientConnection,
        _ upload: Upload,
        _ exchange: Exchange
    ) throws -> Response {
        guard answer.status.code >= 200, answer.status.code <= 999 else { throw GatewayError(.invalidAnswer) }
        let fields = HTTPFields(answer.headers).endToEnd
        let hasBody = method != .head && answer.status.mayHaveResponseBody
        return Response(
            status: HTTPResponse.Status(code: Int(answer.status.code), reasonPhrase: answer.status.reasonPhrase),
            headers: fields,
            body: ResponseBody(contentLength: hasBody ? fields[.contentLength].flatMap { Int($0) } : nil) { writer in
                do {
                    do {
                        for try await part in answer.body {
                            try await writer.write(part)
                            await client.settle()
                        }
                    } catch is AnsweredEarly {}
                    try await writer.finish(exchange.trailers)
                    // Below 300 the upstream may want the rest of the body behind its answer.
                    if answer.status.code < 300 { await exchange.sent() }
                } catch {
                    self.logger.debug("Answer broken off", metadata: ["error.cause": "\(error)"])
                    await upload.close()
                    throw error
                }
                client.unwatch()
                await upload.close()
            }
        )
    }
}
