import Headgate
package import HeadgateAccounts
package import HeadgateUsage
package import Hummingbird

/// The time that a report is about: `?period=24h`, or `?from=...&to=...`.
package struct UsageQuery {
    package let period: UsagePeriod

    /// Reads a query; without one the last 24 hours.
    ///
    /// - Throws: ``AccountError/Code/invalid`` with the parameter.
    package init(_ query: Parameters) throws(AccountError) {
        func single(_ name: String) throws(AccountError) -> String? {
            let values = query.getAll(name)
            guard values.count <= 1 else { throw AccountError(.invalid, "expected it once", field: name) }
            return values.first.map { String($0) }
        }
        func instant(_ name: String) throws(AccountError) -> StoreTime? {
            guard let text = try single(name) else { return nil }
            guard let time = StoreTime(rfc3339: text) else {
                throw AccountError(.invalid, "expected a time such as 2026-11-24T00:00:00Z", field: name)
            }
            return time
        }
        let (text, from, to) = (try single("period"), try instant("from"), try instant("to"))
        if from == nil, to == nil {
            do { period = try UsagePeriod.parse(text ?? "24h") } catch { throw AccountError(.invalid, error.message, field: "period") }
            return
        }
        guard text == nil else { throw AccountError(.invalid, "expected a period, or from and to", field: "period") }
        guard let from else { throw AccountError(.invalid, "expected a time beside to, found nothing", field: "from") }
        guard let to else { throw AccountError(.invalid, "expected a time beside from, found nothing", field: "to") }
        do { period = try UsagePeriod(from: from, to: to) } catch { throw AccountError(.invalid, error.message, field: "from") }
    }
}
