package import Headgate
import HeadgatePolicy

extension Subject {
    /// The subject that command-line options describe.
    ///
    /// Each override is a limit of the account's own, as `read=500/hour`.
    ///
    /// - Throws: ``CommandError`` when the account is empty or an override cannot be read.
    package static func options(
        account: String,
        tier: String?,
        permissions: [String],
        overrides: [String]
    ) throws(CommandError) -> Subject {
        do throws(LimiterError) {
            var subject = try Subject.account(account, tier: tier, permissions: Set(permissions))
            for override in overrides {
                let parts = override.split(separator: "=", maxSplits: 1).map { String($0) }
                guard parts.count == 2 else {
                    throw LimiterError(.badRequest, "'\(override)' is no override; expected LIMIT=RATE such as read=500/hour")
                }
                subject.overrides[parts[0]] = try LimitOverride(text: parts[1])
            }
            return subject
        } catch {
            throw CommandError(error)
        }
    }
}
