import HTTPTypes
import Testing

@testable import HeadgateClient

@Suite("The cache")
struct CacheTests {
    private func made(
        _ fields: [String: String],
        body: Int = 10,
        request: [String: String] = [:],
        at now: Duration = .zero
    ) -> CachedAnswer? {
        CachedAnswer(status: 200, HTTPFields(fields), body: Array(repeating: 0, count: body), to: HTTPFields(request), at: now)
    }

    @Test("An answer is good for its max-age, less the age it came with")
    func freshness() throws {
        let answer = try #require(made(["Cache-Control": "private, max-age=60", "Age": "20"]))
        #expect(answer.isFresh(at: .seconds(39)))
        #expect(!answer.isFresh(at: .seconds(40)))
        let old = try #require(made(["Expires": "Sat, 01 Jan 2022 00:01:00 GMT", "Date": "Sat, 01 Jan 2022 00:00:00 GMT"]))
        #expect(old.isFresh(at: .seconds(59)) && !old.isFresh(at: .seconds(60)))
    }

    @Test(
        "What forbids it, or says nothing of how long it holds, is not remembered",
        arguments: [
            ["Cache-Control": "no-store", "ETag": "\"a\""], ["Vary": "*", "ETag": "\"a\""], [:], ["Cache-Control": "max-age=0"],
            ["Cache-Control": "max-age=soon"], ["Expires": "0"],
        ]
    )
    func unstorable(fields: [String: String]) { #expect(made(fields) == nil) }

    @Test("no-cache, and what is over its time, is asked about by ETag and Last-Modified")
    func conditions() throws {
        var cache = AnswerCache(CacheConfiguration())
        let modified = "Sat, 01 Jan 2022 00:00:00 GMT"
        let answer = try #require(made(["Cache-Control": "no-cache", "ETag": "\"v1\"", "Last-Modified": modified]))
        cache.store(answer, for: "k")
        guard case .stale(let found) = cache.look(up: "k", HTTPFields(), at: .zero) else { return #expect(Bool(false)) }
        #expect(found.conditions[.ifNoneMatch] == "\"v1\"" && found.conditions[.ifModifiedSince] == modified)
        var validated = found
        validated.validate(by: HTTPFields(["Cache-Control": "max-age=5", "ETag": "\"v1\""]), at: .seconds(100))
        #expect(validated.isFresh(at: .seconds(104)) && !validated.isFresh(at: .seconds(105)))
    }

    @Test("An answer that varies by a field answers only requests with the same one")
    func varying() throws {
        var cache = AnswerCache(CacheConfiguration())
        let answer = try #require(made(["Cache-Control": "max-age=60", "Vary": "Accept-Language"], request: ["Accept-Language": "de"]))
        cache.store(answer, for: "k")
        #expect(cache.look(up: "k", HTTPFields(["Accept-Language": "de"]), at: .zero) == .fresh(answer))
        #expect(cache.look(up: "k", HTTPFields(["Accept-Language": "en"]), at: .zero) == .missing)
    }

    @Test("Its memory is bounded, in answers and in bytes: what was used the longest time ago goes first", arguments: [6, 1_000])
    func memory(mostAnswers: Int) throws {
        var configuration = CacheConfiguration()
        configuration.mostBytes = 10_000
        configuration.longestBody = 2_000
        configuration.mostAnswers = mostAnswers
        var cache = AnswerCache(configuration)
        let answer = try #require(made(["Cache-Control": "max-age=60"], body: 1_000))
        for key in 0..<100 {
            cache.store(answer, for: "k\(key)")
            #expect(cache.look(up: "k0", HTTPFields(), at: .zero) == .fresh(answer))
            #expect(cache.bytes <= 10_000 && cache.count <= mostAnswers)
        }
        #expect(cache.look(up: "k99", HTTPFields(), at: .zero) == .fresh(answer))
        #expect(cache.look(up: "k50", HTTPFields(), at: .zero) == .missing)
        cache.store(try #require(made(["Cache-Control": "max-age=60"], body: 2_001)), for: "big")
        #expect(cache.look(up: "big", HTTPFields(), at: .zero) == .missing)
        for key in 0..<100 { cache.forget("k\(key)") }
        #expect(cache.bytes == 0)
    }

    @Test("An answer from memory says nothing of limits")
    func limitsLeftOut() throws {
        let fields = [
            "Cache-Control": "max-age=60", "X-RateLimit-Remaining": "3", "RateLimit": "\"a\";r=1", "Retry-After": "3", "X-Other": "1",
        ]
        let answer = try #require(made(fields))
        #expect(Set(answer.fields.map(\.name.canonicalName)) == ["cache-control", "x-other"])
    }
}
