internal import Synchronization

/// What a decision charged, and whether it was taken back: a refund happens once, however often the decision is copied.
package final class ChargeLedger: Sendable {
    package let receipts: [Receipt]
    private let isTaken = Atomic(false)

    package init(_ receipts: [Receipt]) { self.receipts = receipts }

    /// The receipts, unless they were taken before.
    package func takeReceipts() -> [Receipt]? {
        isTaken.exchange(true, ordering: .acquiringAndReleasing) ? nil : receipts
    }

    /// Lets the receipts be taken again.
    package func putBack() { isTaken.store(false, ordering: .releasing) }
}
