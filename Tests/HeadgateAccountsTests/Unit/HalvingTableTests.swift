import TestSupport
import Testing

@testable import HeadgateAccounts

@Suite("The halving table")
struct HalvingTableTests {
    /// The table in a class, so that a look can stand in an expectation.
    private final class Table {
        private var table: HalvingTable<Int>
        init(most: Int) { table = HalvingTable(most: most) }
        var count: Int { table.count }
        subscript(key: String) -> Int? {
            get { table[key] }
            set { table[key] = newValue }
        }
        func removeAll() { table.removeAll() }
    }

    @Test("holds at most so many, whatever comes", arguments: [0, 1, 2, 3, 10, 1_001])
    func bounded(most: Int) {
        let table = Table(most: most)
        var largest = 0
        for number in 0..<5_000 {
            table[String(number)] = number
            _ = table[String(number / 2)]
            largest = max(largest, table.count)
        }
        // Below two there is room for the last two.
        #expect(largest <= max(most, 2))
        #expect(table[String(4_999)] == 4_999)
    }

    @Test("keeps what was looked at, and drops what was not")
    func keepsWhatIsUsed() {
        let table = Table(most: 100)
        for number in 0..<20 { table["kept \(number)"] = number }
        for number in 0..<1_000 {
            table["passing \(number)"] = number
            if number % 10 == 0 { for kept in 0..<20 { #expect(table["kept \(kept)"] == kept) } }
        }
        #expect(table["passing 0"] == nil)
        #expect(table["passing 999"] == 999)
    }

    @Test("never gives another value than the newest, and none that was removed", arguments: 1...8)
    func agrees(seed: UInt64) {
        var generator = Generator(seed: seed)
        let table = Table(most: 16)
        var newest: [String: Int] = [:]
        for step in 0..<20_000 {
            let key = String(Int.random(in: 0..<40, using: &generator))
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<4:
                table[key] = step
                newest[key] = step
            case 4..<6:
                table[key] = nil
                newest[key] = nil
            default:
                if let found = table[key] { #expect(found == newest[key]) }
            }
            #expect(table.count <= 16)
        }
    }

    @Test("is empty after everything was removed")
    func removeAll() {
        let table = Table(most: 4)
        for number in 0..<4 { table[String(number)] = number }
        table.removeAll()
        #expect(table.count == 0)
        #expect((0..<4).allSatisfy { table[String($0)] == nil })
    }
}
