internal import Synchronization

/// What a decision charged, and whether it was taken back: a refund happens once, however often the decision is copied.
package final class ChargeLedger: Sendable {
    package let receipts: [Receipt]
    private let isTaken = Atomic(false)

    private init(_ receipts: [Receipt]) { self.receipts = receipts }

    /// The ledger of whatever was charged; all decisions that charged nothing share one.
    package static func of(_ receipts: [Receipt]) -> ChargeLedger { receipts.isEmpty ? nothing : ChargeLedger(receipts) }

    private static let nothing = ChargeLedger([])

    /// The receipts, unless they were taken before; nothing can be taken any number of times.
    package func takeReceipts() -> [Receipt]? {
        guard !receipts.isEmpty else { return receipts }
        return isTaken.exchange(true, ordering: .acquiringAndReleasing) ? nil : receipts
    }

    /// Lets the receipts be taken again.
    package func putBack() { isTaken.store(false, ordering: .releasing) }
}
