/// A call and how often it has been sent: what travels between queues and connections.
struct Attempt: Sendable {
    /// The most redirects that one call follows.
    static let mostRedirects = 5

    /// The call.
    let call: Call
    /// How often it was sent again because the server did not know the script.
    private(set) var reloads = 0
    /// How often it was sent again for another reason.
    private(set) var retries = 0
    /// How often a node of a cluster sent it on.
    private(set) var redirects = 0
    /// Whether it goes to the node that is about to own its slot: `ASKING` goes before it, for it alone.
    private(set) var isAsking = false

    init(_ call: Call) { self.call = call }

    /// The attempt after a lost script, or `nil` when there were enough.
    ///
    /// A script that is lost again between its loading and the call takes the one other retry.
    var afterReload: Attempt? {
        var next = self
        guard reloads == 0 else { return afterRefusal }
        next.reloads = 1
        return next
    }

    /// The attempt after another refusal, or `nil` when there were enough.
    var afterRefusal: Attempt? {
        guard retries == 0 else { return nil }
        var next = self
        next.retries = 1
        return next
    }

    /// The attempt at the node that another one named, or `nil` when there were enough.
    func redirected(asking: Bool) -> Attempt? {
        guard redirects < Attempt.mostRedirects else { return nil }
        var next = self
        next.redirects += 1
        next.isAsking = asking
        return next
    }
}
