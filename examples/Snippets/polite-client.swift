import AsyncHTTPClient
import HeadgateClient
import NIOCore

let client = PoliteClient(HTTPClient.shared)  // was: let client = HTTPClient.shared

/// Fetches a report; the program's calls are as they were.
func report(_ id: String) async throws -> String {
    let request = HTTPClientRequest(url: "https://api.example.com/v1/reports/\(id)")
    let response = try await client.execute(request, timeout: .seconds(30))
    return String(buffer: try await response.body.collect(upTo: 1024 * 1024))
}
