public import Headgate
public import HeadgateAccounts

/// Who made a request, as its key says.
public struct Caller: Sendable {
    /// The key that it came with.
    public let key: APIKey

    /// The key's account.
    public let account: Account

    /// The account as the limiter sees it now, with the key's permissions and the request's address.
    public let subject: Subject
}
