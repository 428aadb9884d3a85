internal import AsyncHTTPClient
internal import Headgate
internal import HeadgateJSON
internal import NIOCore
internal import NIOHTTP1

/// What carries a message to its receiver.
package protocol WebhookSender: Sendable {
    /// Sends a message, and returns when it was answered or no answer is to be expected.
    func send(_ message: WebhookMessage) async -> WebhookAnswer
}

/// How a receiver answered.
package enum WebhookAnswer: Sendable, Hashable {
    /// The status of its response.
    case status(Int)
    /// Nothing came in time, or there was no connection.
    case nothing
}

/// A signed message, ready to be sent by `POST`.
package struct WebhookMessage: Sendable, Hashable {
    /// Its header fields.
    package var headers: [String: String]
    /// Its body.
    package var body: [UInt8]
}

extension WebhookMessage {
    /// The message of an event, as the Standard Webhooks specification has it: each attempt has a time and a signature of its own, and
    /// all of an event the same id.
    init(_ event: LimitEvent, entry: String, at time: StoreTime, signedWith secret: WebhookSecret) {
        let id = "evt_\(entry)"
        let timestamp = time.microseconds / 1_000_000
        body = event.json(id: id).bytes
        headers = [
            "content-type": "application/json",
            "user-agent": "headgate",
            "webhook-id": id,
            "webhook-timestamp": String(timestamp),
            "webhook-signature": secret.signature(id: id, timestamp: timestamp, body: body),
        ]
    }
}

/// Sends messages to one address over HTTP, and follows no redirect.
struct HTTPWebhookSender: WebhookSender {
    let client: HTTPClient
    let url: String
    let timeout: TimeAmount

    /// More of a response is not read; only its status counts.
    private static let longestBody = 64 * 1024

    /// Runs a body with a sender, whose connections end with it.
    static func withSender(to configuration: WebhookConfiguration, _ body: (HTTPWebhookSender) async -> Void) async throws {
        let timeout = TimeAmount(configuration.timeout)
        let settings = HTTPClient.Configuration(redirectConfiguration: .disallow, timeout: .init(connect: timeout))
        try await HTTPClient.withHTTPClient(configuration: settings) { client in
            await body(HTTPWebhookSender(client: client, url: configuration.url, timeout: timeout))
        }
    }

    func send(_ message: WebhookMessage) async -> WebhookAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        for (name, value) in message.headers { request.headers.add(name: name, value: value) }
        request.body = .bytes(message.body)
        do {
            let response = try await client.execute(request, timeout: timeout)
            // Read to its end, so that the connection can be used again.
            _ = try? await response.body.collect(upTo: HTTPWebhookSender.longestBody)
            return .status(Int(response.status.code))
        } catch {
            return .nothing
        }
    }
}
