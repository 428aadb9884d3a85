import Testing

@testable import HeadgateAccounts

@Suite("The cache of records")
struct RecordCacheTests {
    private let now = ContinuousClock.now

    private func cache(most: Int = 100, mostAbsent: Int = 10) -> Cache { Cache(most: most, mostAbsent: mostAbsent) }

    /// The cache in a class, so that a question that counts as a look can stand in an expectation.
    private final class Cache {
        private var cache: RecordCache<String>
        init(most: Int, mostAbsent: Int) { cache = RecordCache(most: most, mostAbsent: mostAbsent) }
        var count: Int { cache.count }
        var generation: Int { cache.generation }
        func entry(_ id: String) -> RecordCache<String>.Entry? { cache.entry(id) }
        func claim(_ id: String) -> Bool { cache.claim(id) }
        func unclaim(_ id: String) { cache.unclaim(id) }
        func forget(_ ids: [String], complete: Bool) { cache.forget(ids, complete: complete) }
        func store(_ record: String?, _ id: String, readAt: ContinuousClock.Instant, generation: Int) {
            cache.store(record, id, readAt: readAt, generation: generation)
        }
    }

    @Test("keeps what was read, and that something was not there")
    func keeps() {
        let cache = cache()
        cache.store("tier pro", "a:acme", readAt: now, generation: 0)
        cache.store(nil, "a:nobody", readAt: now, generation: 0)
        #expect(cache.entry("a:acme")?.record == "tier pro")
        #expect(cache.entry("a:acme")?.readAt == now)
        #expect(cache.entry("a:nobody") != nil && cache.entry("a:nobody")?.record == nil)
        #expect(cache.entry("a:other") == nil)
    }

    @Test("replaces one by the other: an account that is made, and one that is gone")
    func replaces() {
        let cache = cache()
        cache.store(nil, "a:acme", readAt: now, generation: 0)
        cache.store("made", "a:acme", readAt: now, generation: 0)
        #expect(cache.entry("a:acme")?.record == "made")
        cache.store(nil, "a:acme", readAt: now, generation: 0)
        #expect(cache.entry("a:acme") != nil && cache.entry("a:acme")?.record == nil)
        #expect(cache.count == 1)
    }

    @Test("keeps no absent record where none are wanted")
    func noAbsent() {
        let cache = cache(mostAbsent: 0)
        cache.store(nil, "k:made-up", readAt: now, generation: 0)
        #expect(cache.entry("k:made-up") == nil && cache.count == 0)
    }

    @Test("forgets what was changed, and nothing else")
    func forgets() {
        let cache = cache()
        for id in ["a:1", "a:2"] { cache.store(id, id, readAt: now, generation: 0) }
        cache.store(nil, "a:3", readAt: now, generation: 0)
        cache.forget(["a:1", "a:3", "a:unheard"], complete: true)
        #expect(cache.entry("a:1") == nil && cache.entry("a:3") == nil)
        #expect(cache.entry("a:2")?.record == "a:2")
    }

    @Test("forgets all when notes of changes were missed, also without any note")
    func forgetsAll() {
        let cache = cache()
        cache.store("1", "a:1", readAt: now, generation: 0)
        cache.store(nil, "a:2", readAt: now, generation: 0)
        cache.forget([], complete: false)
        #expect(cache.count == 0)
    }

    @Test("keeps nothing that was read before a change was heard of, and drops what stood there")
    func generations() {
        let cache = cache()
        cache.store("old", "a:1", readAt: now, generation: 0)
        let begun = cache.generation
        cache.forget(["a:2"], complete: true)
        cache.store("read meanwhile", "a:1", readAt: now, generation: begun)
        #expect(cache.entry("a:1") == nil)
        cache.store("read after", "a:1", readAt: now, generation: cache.generation)
        #expect(cache.entry("a:1")?.record == "read after")
    }

    @Test("takes a look without news for no change: reads under way are kept")
    func noNews() {
        let cache = cache()
        let begun = cache.generation
        cache.forget([], complete: true)
        cache.store("kept", "a:1", readAt: now, generation: begun)
        #expect(cache.entry("a:1")?.record == "kept")
    }

    @Test("lets one at a time read a record anew", arguments: ["there", nil])
    func claims(record: String?) {
        let cache = cache()
        #expect(!cache.claim("a:1"))
        cache.store(record, "a:1", readAt: now, generation: 0)
        #expect(cache.claim("a:1"))
        #expect(!cache.claim("a:1"))
        #expect(cache.entry("a:1")?.record == record)
        cache.unclaim("a:1")
        #expect(cache.claim("a:1"))
        cache.store(record, "a:1", readAt: now, generation: 0)
        #expect(cache.claim("a:1"))
        cache.forget(["a:1"], complete: true)
        cache.unclaim("a:1")
        #expect(cache.entry("a:1") == nil)
    }

    @Test("is bounded under a million made-up names, which crowd out no real record")
    func bounded() {
        let cache = cache(most: 1_000, mostAbsent: 200)
        for id in 0..<400 { cache.store("real", "a:\(id)", readAt: now, generation: 0) }
        var largest = 0
        for id in 0..<1_000_000 {
            cache.store(nil, "a:made-up-\(id)", readAt: now, generation: 0)
            largest = max(largest, cache.count)
        }
        #expect(largest <= 1_200)
        #expect((0..<400).allSatisfy { cache.entry("a:\($0)")?.record == "real" })
    }

    @Test("is bounded under a million real records, too")
    func boundedRecords() {
        let cache = cache(most: 1_000)
        for id in 0..<1_000_000 { cache.store("real", "a:\(id)", readAt: now, generation: 0) }
        #expect(cache.count <= 1_000)
        #expect(cache.entry("a:999999")?.record == "real")
    }
}
