internal import Headgate
internal import NIOCore
internal import Synchronization

/// The masters of a cluster: each call goes to the owner of its slot, and on to where the nodes send it.
///
/// The map of slots is read again when a node sends calls elsewhere or gives no answers, by one reader at a time.
final class ClusterRouter: Router {
    /// Makes the node at a place.
    typealias MakeNode = @Sendable (RedisEndpoint, ClusterRouter) -> Node

    let settings: RedisCluster
    let telemetry: RedisTelemetry
    let group: any EventLoopGroup
    let refreshes = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    private let state = Mutex(State())
    private let makeNode: MakeNode

    fileprivate struct State {
        var nodes: [RedisEndpoint: Node] = [:]
        var map = SlotMap()
        /// Each of the map's masters, in its order; all of them are among the nodes.
        var masters: [Node] = []
        /// Tags that were found by this map.
        var tags: [ObjectIdentifier: String] = [:]
        var isStopped = false
    }

    init(_ settings: RedisCluster, telemetry: RedisTelemetry, group: any EventLoopGroup, makeNode: @escaping MakeNode) {
        self.settings = settings
        self.telemetry = telemetry
        self.group = group
        self.makeNode = makeNode
        // Calls may come before `start()`: they wait here.
        for seed in settings.seeds where state.withLock({ $0.nodes[seed] == nil }) {
            let node = makeNode(seed, self)
            state.withLock { $0.nodes[seed] = node }
        }
    }

    var now: NIODeadline { NIODeadline.now() }

    /// The masters, or the first nodes while no master is known.
    var nodes: [Node] {
        state.withLock { $0.masters.isEmpty ? Array($0.nodes.values) : $0.masters }
    }

    func submit(_ attempt: Attempt) {
        let (node, isStopped) = state.withLock { ($0.node(of: attempt.call.slot), $0.isStopped) }
        guard let node, !isStopped else {
            return attempt.call.finish(.failure(isStopped ? LaneCore.closed : LaneCore.notRunning))
        }
        // Whoever owns the slots of a node that is down is not told to us: calls that want it are the reason to ask.
        if !node.isWell { refresh() }
        node.submit(attempt)
    }

    func submit(_ attempt: Attempt, behind other: Call?) {
        guard let lane = other?.lane, lane.isUp else { return submit(attempt) }
        lane.submit(attempt)
    }

    func start() {
        for node in nodes { node.start() }
        refresh()
    }

    func stop(by limit: NIODeadline) async {
        let nodes = state.withLock { state in
            state.isStopped = true
            defer { state.nodes = [:] }
            return Array(state.nodes.values)
        }
        await withTaskGroup(of: Void.self) { group in
            for node in nodes { group.addTask { await node.stop(by: limit) } }
        }
    }

    /// Has the map read again soon.
    func refresh() { refreshes.continuation.yield() }
}

// MARK: The map

extension ClusterRouter {
    /// The most nodes that are connected to at once, whatever nodes say of others.
    static let mostNodes = 2 * SlotMap.mostMasters

    /// The node at a place, made and started when there is none yet; `nil` when there are too many, or the store stops.
    func node(at place: RedisEndpoint) -> Node? {
        if let node = state.withLock({ $0.nodes[place] }) { return node }
        let made = makeNode(place, self)
        let (node, isNew) = state.withLock { state -> (Node?, Bool) in
            if let node = state.nodes[place] { return (node, false) }
            guard !state.isStopped, state.nodes.count < ClusterRouter.mostNodes else { return (nil, false) }
            state.nodes[place] = made
            return (made, true)
        }
        if isNew { node?.start() }
        return node
    }

    /// Notes that a slot has moved.
    func move(_ slot: Int, to place: RedisEndpoint) {
        state.withLock { state in
            // Before a first map there is nothing to note; a node that was left meanwhile must not come back.
            guard !state.map.masters.isEmpty, let node = state.nodes[place] else { return }
            state.map.move(slot, to: place)
            if state.masters.count < state.map.masters.count { state.masters.append(node) }
            state.tags = [:]
        }
    }

    /// Takes a map that was read, and leaves the nodes that it does not name.
    func take(_ map: SlotMap) {
        let masters = map.masters.compactMap { node(at: $0) }
        guard masters.count == map.masters.count else { return }
        let left = state.withLock { state -> [Node] in
            guard !state.isStopped else { return [] }
            state.map = map
            state.masters = masters
            state.tags = [:]
            let named = Set(map.masters)
            let left = state.nodes.filter { !named.contains($0.key) }
            for place in left.keys { state.nodes[place] = nil }
            return Array(left.values)
        }
        for node in left { node.retire() }
    }

    /// A key tag in a slot of the node, for calls that are about the node itself; `nil` when it owns no slot.
    ///
    /// All processes find the same one for the same map.
    func tag(of node: Node) -> String? {
        let known = state.withLock { state -> (tag: String?, map: SlotMap, index: Int)? in
            guard let index = state.masters.firstIndex(where: { $0 === node }) else { return nil }
            return (state.tags[ObjectIdentifier(node)], state.map, index)
        }
        guard let known else { return nil }
        if let tag = known.tag { return tag }
        // Not under the lock: for a node with few slots this takes thousands of tries.
        guard let tag = known.map.tag(of: Int16(known.index)) else { return nil }
        state.withLock { state in
            if state.map.owners == known.map.owners { state.tags[ObjectIdentifier(node)] = tag }
        }
        return tag
    }
}

extension ClusterRouter.State {
    /// The node to ask for a slot: its owner, else whoever is well and may know it.
    fileprivate func node(of slot: Int?) -> Node? {
        if let slot, map.owners[slot] >= 0 { return masters[Int(map.owners[slot])] }
        return nodes.values.first { $0.isWell } ?? nodes.values.first { $0.isUp } ?? nodes.values.first
    }
}
