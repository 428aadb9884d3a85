internal import Foundation
public import Headgate

/// Where webhooks go, and what they are signed with.
public struct WebhookConfiguration: Sendable {
    /// The receiver's address.
    public let url: String
    /// What messages are signed with.
    public let secret: WebhookSecret
    /// The time that one attempt may take.
    public var timeout: Duration = .seconds(5)
    /// Attempts that are under way at once.
    public var mostUnderway = 8
    /// The time after which another instance takes over an event that was left undelivered.
    public var takeover: Duration = .seconds(60)

    var schedule = RetrySchedule()
    var interval: Duration = .milliseconds(500)

    /// Creates a configuration.
    ///
    /// - Throws: ``LimiterError/Code/badRequest`` when the address is not an absolute one of `http` or `https`. The error repeats none
    ///   of it.
    public init(url: String, secret: WebhookSecret) throws(LimiterError) {
        let parts = URLComponents(string: url)
        guard ["http", "https"].contains(parts?.scheme?.lowercased()), parts?.host?.isEmpty == false else {
            throw LimiterError(.badRequest, "the webhook URL is not valid; expected https://host/path")
        }
        self.url = url
        self.secret = secret
    }
}
