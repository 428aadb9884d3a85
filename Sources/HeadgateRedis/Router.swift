internal import NIOCore

/// Takes calls to the server that keeps their counts.
protocol Router: Sendable {
    /// The time by which deadlines are measured.
    var now: NIODeadline { get }

    /// The servers that make decisions, as far as they are known.
    var nodes: [Node] { get }

    /// Takes a call on its way; it ends by its deadline.
    func submit(_ attempt: Attempt)

    /// Takes a call that has to reach Redis after another one, if the connection of that one still stands.
    func submit(_ attempt: Attempt, behind other: Call?)

    /// A key tag in a slot of the node, for calls that are about the node itself; `nil` when it owns no slot.
    func tag(of node: Node) -> String?

    /// Begins to connect.
    func start()

    /// Follows what moves, while the store runs; ends by cancellation.
    func watch() async

    /// Takes no more calls, answers those under way until `limit`, and closes all connections.
    func stop(by limit: NIODeadline) async
}

extension Router {
    /// Nothing moves.
    func watch() async {}

    /// A key tag in a slot of the node, for calls that are about the node itself; `nil` when it owns no slot.
    func tag(of node: Node) -> String? { KeySpace.ownName }
}
