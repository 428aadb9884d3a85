import Foundation
import HTTPTypes
import Headgate
import HeadgateHTTP
import Testing

@Suite("Fields and bodies agree")
struct AgreementTests {
    private struct Body: Decodable {
        struct Details: Decodable {
            let reset_at: Date
            let retry_after: Int64
        }
        let details: Details
    }

    private struct FlatBody: Decodable {
        let message: String
        let retry_after: Int64
    }

    private let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }()

    @Test("Retry-After, retry_after, t, Reset and reset_at say the same, and none sends a client back too early")
    func property() throws {
        var random = Seeded(state: 2)
        for round in 0..<2_000 {
            let time = Int64.random(in: 0...8_000_000_000_000_000, using: &random)
            let longest: Int64 = [3, 2_000_000, 34_560_000_000_000][round % 3]
            let wait = Int64.random(in: 1...longest, using: &random)
            let status = try LimitStatus.exhausted(retryAfter: .microseconds(wait))
            let shorter = try LimitStatus.exhausted("write", retryAfter: .microseconds(Int64.random(in: 0...wait, using: &random)))
            let decision = Decision.denied([shorter, status].shuffled(using: &random), at: StoreTime(microseconds: time))

            let nested = try #require(ResponseStyle(headers: [.xRateLimit, .ietf]).refusal(for: decision))
            let retry = try #require(Int64(nested.headerFields[.retryAfter] ?? ""))
            let reset = try #require(Int64(nested.headerFields[.xRateLimitReset] ?? ""))
            let details = try decoder.decode(Body.self, from: Data(nested.body)).details
            let flat = try decoder.decode(
                FlatBody.self,
                from: Data(try #require(ResponseStyle(errorBody: .flat).refusal(for: decision)).body)
            )

            #expect(details.retry_after == retry)
            #expect(flat.retry_after == retry)
            #expect(flat.message.contains(" \(retry) second"))
            #expect(details.reset_at == Date(timeIntervalSince1970: Double(reset)))
            #expect(try #require(nested.headerFields[.rateLimit]).contains(";t=\(retry)"))

            // Not early, and less than a second late.
            #expect((wait..<wait + 1_000_000).contains(retry * 1_000_000))
            #expect((time + wait..<time + wait + 1_000_000).contains(reset * 1_000_000))
            // Apart by the second of the decision, rounded down or up.
            #expect([time / 1_000_000, (time + 999_999) / 1_000_000].contains(reset - retry))
        }
    }
}
