import AsyncHTTPClient
import Headgate
import HeadgateClient
import NIOCore
import NIOHTTP1

/// A client whose pace all processes keep to that share the limiter's Redis.
func sharedClient(_ limiter: Limiter) throws -> PoliteClient {
    let limits = [
        try Limit("requests", .slidingWindowLog(20, per: .milliseconds(60_100))),
        try Limit("in flight", .concurrency(2, timeToLive: .seconds(60))),
    ]
    var configuration = ClientConfiguration()
    configuration.pacing.concurrency = .atMost(2)
    configuration.pacing.sharing = .shared(try LimiterPace(limiter, named: "testing-api", limits: limits))
    return PoliteClient(configuration: configuration)
}

/// Waits for a job's end: asks after 5, 10, 30 and then every 60 seconds, or later where the server says so.
func waitForEnd(of job: String, _ client: PoliteClient) async throws {
    let request = HTTPClientRequest(url: "https://api.example.com/v1/jobs/\(job)")
    for try await answer in client.poll(request, timeout: .seconds(20), priority: .low) {
        let text = String(buffer: try await answer.body.collect(upTo: 64 * 1024))
        if text.contains("completed") { return }
    }
}

/// Executes endpoints, up to 20 of them in one call of the batch endpoint.
func batcher(_ client: PoliteClient) -> Batcher<String, String> {
    Batcher { endpoints in
        var request = HTTPClientRequest(url: "https://api.example.com/v2/endpoints/batch-execute")
        request.method = .POST
        request.body = .bytes(ByteBuffer(string: endpoints.joined(separator: "\n")))
        let response = try await client.execute(request, timeout: .seconds(30))
        let text = String(buffer: try await response.body.collect(upTo: 1024 * 1024))
        return text.split(separator: "\n").map(String.init)
    }
}
