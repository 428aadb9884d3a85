import Headgate
import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("The text of a key")
struct KeyTextTests {
    private static let secret = String(repeating: "a", count: 20)

    private func record(_ text: KeyText) -> APIKey {
        APIKey(id: text.id, digest: text.digest, account: "acme", permissions: [], name: "", created: StoreTime(microseconds: 0))
    }

    @Test("is read back, and holds 43 random letters and digits")
    func roundTrip() throws {
        let texts = (0..<100).map { _ in KeyText() }
        for fresh in texts {
            let parts = fresh.text.split(separator: "_")
            #expect(parts.count == 3 && parts[0] == "hgk" && parts[1].count == 15 && parts[2].count == 43)
            let read = try #require(KeyText(fresh.text))
            #expect(read.id == fresh.id && read.digest == fresh.digest && read.text == fresh.text)
            #expect(read.opens(record(fresh)))
        }
        #expect(Set(texts.map(\.id)).count == 100 && Set(texts.map(\.digest)).count == 100)
    }

    @Test("has the SHA-256 of the secret alone, in hex")
    func digest() throws {
        // printf aaaaaaaaaaaaaaaaaaaa | sha256sum
        let expected = "42492da06234ad0ac76f5d5debdb6d1ae027cffbe746a1c13b89bb8bc0139137"
        #expect(try #require(KeyText("hgk_abcdefgh_\(Self.secret)")).digest == expected)
        #expect(try #require(KeyText("hgk_zzzzzzzz_\(Self.secret)")).digest == expected)
    }

    @Test(
        "is nothing else",
        arguments: [
            "", "_", "__", "hgk", "hgk__", "hgk_abcdefgh", "hgk_abcdefgh_", "hgk__\(secret)", "HGK_abcdefgh_\(secret)",
            "hgk_abcdefg_\(secret)", "hgk_\(String(repeating: "a", count: 33))_\(secret)",
            "hgk_abcdefgh_\(String(repeating: "a", count: 19))",
            "hgk_abcdefgh_\(String(repeating: "a", count: 65))", "hgk_abcdefgh_\(secret)_", "_hgk_abcdefgh_\(secret)",
            " hgk_abcdefgh_\(secret)", "hgk_abcdefgh_\(secret) ", "hgk_abcdefgh_\(secret)\n", "hgk_abcd:fgh_\(secret)",
            "hgk_abcd}fgh_\(secret)", "hgk_abcdéfgh_\(secret)",
            "hgk_abcdefgh_\(secret)\0", "hgk_abcdefgh_ａ\(secret)", String(repeating: "a", count: 1_000_000),
        ]
    )
    func garbage(text: String) {
        #expect(KeyText(text) == nil)
    }

    @Test("opens the record of its secret and no other, nor none")
    func opens() throws {
        let fresh = KeyText()
        #expect(fresh.opens(record(fresh)))
        #expect(!KeyText().opens(record(fresh)))
        #expect(!fresh.opens(nil))
        for index in fresh.text.indices.suffix(43) {
            var text = fresh.text
            text.replaceSubrange(index...index, with: text[index] == "x" ? "y" : "x")
            let other = try #require(KeyText(text))
            #expect(other.id == fresh.id && !other.opens(record(fresh)))
        }
    }

    @Test("opens nothing whose digest is no digest", arguments: ["", "0", String(repeating: "0", count: 64)])
    func badDigest(digest: String) {
        let key = APIKey(id: "abcdefgh", digest: digest, account: "acme", permissions: [], name: "", created: StoreTime(microseconds: 0))
        #expect(!KeyText().opens(key))
    }

    /// Reads of bytes, counted.
    private final class Reads {
        var places: [Int] = []
    }

    /// Bytes that note each look at them.
    private struct Watched: RandomAccessCollection {
        let bytes: [UInt8]
        let reads: Reads
        var startIndex: Int { 0 }
        var endIndex: Int { bytes.count }
        subscript(index: Int) -> UInt8 {
            reads.places.append(index)
            return bytes[index]
        }
    }

    // Time is no measure on a busy machine; what the time of a comparison can depend on is which bytes it looks at. Over the
    // samples that the fault table asks for, that is the same list each time, so a t-test between any two groups has no
    // difference to find.
    @Test("is compared by a look at each byte once, in order, wherever the first difference is: 100,000 samples")
    func constantWork() {
        var generator = Generator(seed: 81)
        let everyByte = Array(0..<64)
        var groups: [Int: Int] = [:]
        for sample in 0..<100_000 {
            let expected = (0..<64).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            var found = expected
            // Shared leading bytes: none, all but one, all, and any number.
            let shared = [0, 63, 64, Int.random(in: 0..<64, using: &generator)][sample % 4]
            if shared < 64 {
                found[shared] ^= UInt8.random(in: 1 ... .max, using: &generator)
                for place in (shared + 1)..<64 { found[place] = UInt8.random(in: .min ... .max, using: &generator) }
            }
            let (left, right) = (Reads(), Reads())
            let areEqual = KeyText.areEqual(Watched(bytes: expected, reads: left), Watched(bytes: found, reads: right))
            groups[shared, default: 0] += 1
            guard areEqual == (shared == 64), left.places == everyByte, right.places == everyByte else {
                Issue.record("sharing \(shared) leading bytes: equal \(areEqual), \(left.places.count) and \(right.places.count) looks")
                return
            }
        }
        #expect(groups[0, default: 0] > 25_000 && groups[63, default: 0] > 25_000 && groups[64] == 25_000)
    }
}
