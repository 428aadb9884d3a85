import HeadgateHTTP
import Testing

@Suite("Response styles")
struct ResponseStyleTests {
    @Test("The names are those of policy files")
    func names() {
        #expect(ResponseStyle.HeaderStyle.allCases.map(\.rawValue) == ["x-ratelimit", "ietf"])
        #expect(ResponseStyle.WindowHeader.allCases.map(\.rawValue) == ["included", "omitted"])
        #expect(ResponseStyle.ErrorBody.allCases.map(\.rawValue) == ["nested", "flat", "problem"])
    }

    @Test("The default is the first seed's")
    func defaults() {
        #expect(ResponseStyle() == ResponseStyle(headers: [.xRateLimit], windowHeader: .included, errorBody: .nested))
    }
}
