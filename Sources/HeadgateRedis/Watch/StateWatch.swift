internal import Headgate
internal import NIOCore

/// Looks at the servers themselves a few times a second: whether they are fit to keep counts, whether counts were lost, whether
/// their clock stepped, and how many instances share them.
///
/// An instance says that it lives by a lease like any other, on a limit of the store's own. The lease is a canary, too: when it is
/// gone before its time, so may counts be.
struct StateWatch: Sendable {
    /// How often to look.
    static let interval: Duration = .milliseconds(500)
    /// How long an instance counts as alive after it was seen.
    static let lifetime: Duration = .seconds(5)
    /// How often the server is asked about itself, beside each new connection.
    static let inspection: TimeAmount = .seconds(2)
    /// How often a server that is not fit is asked whether it is now.
    static let reinspection: TimeAmount = .milliseconds(500)
    /// The time that one question may take.
    static let patience: TimeAmount = .milliseconds(500)
    /// The most instances that are counted.
    static let mostInstances: Int64 = 10_000

    let router: any Router
    let calls: CallMaker
    let telemetry: RedisTelemetry
    let isStrict: Bool
    /// Told when what was known of the counts may be wrong.
    let lost: @Sendable () -> Void
    private let instance = Lease.makeID()

    init(router: any Router, calls: CallMaker, telemetry: RedisTelemetry, isStrict: Bool, lost: @escaping @Sendable () -> Void) {
        self.router = router
        self.calls = calls
        self.telemetry = telemetry
        self.isStrict = isStrict
        self.lost = lost
    }

    /// Looks until the task is cancelled, then says that this instance is gone.
    func run(_ counted: (Int) -> Void) async {
        var views: [ObjectIdentifier: NodeView] = [:]
        repeat {
            let nodes = router.nodes
            views = views.filter { known in nodes.contains { ObjectIdentifier($0) == known.key } }
            for node in nodes where node.isUp {
                var view = views[ObjectIdentifier(node)] ?? NodeView()
                await inspect(node, &view)
                if let instances = await pulse(node, &view) { counted(instances) }
                views[ObjectIdentifier(node)] = view
            }
        } while (try? await Task.sleep(for: StateWatch.interval)) != nil
        for node in router.nodes {
            guard let lease = views[ObjectIdentifier(node)]?.lease, let script = try? ScriptCall.release(lease, calls.context),
                let call = try? calls.call(script, by: node.now + StateWatch.patience), call.begin(nil)
            else { continue }
            router.submit(Attempt(call))
        }
    }
}

// MARK: The server

extension StateWatch {
    /// Asks the server about itself when it may be another one, and now and then.
    private func inspect(_ node: Node, _ view: inout NodeView) async {
        let connections = node.settings.health.connections
        let isNew = connections != view.connections
        let age = view.inspectedAt.map { node.now - $0 } ?? StateWatch.inspection
        guard isNew || age >= (view.isFit ? StateWatch.inspection : StateWatch.reinspection) else { return }
        do throws(LimiterError) {
            let lack = isNew || !view.isFit ? try await AccessTest(node: node, calls: calls).missing(tag: router.tag(of: node)) : nil
            if let lack, isNew { telemetry.lacksAccess(lack) }
            let risk = try await eviction(of: node, &view, isNew: isNew)
            let unfitness = lack ?? risk
            view.isFit = unfitness == nil
            node.settings.health.fitness(unfitness)
            view.connections = connections
            view.inspectedAt = node.now
        } catch {
            // It is tried again at the next look; what is wrong shows in the calls.
            telemetry.uninspected(error)
        }
    }

    /// Notes what a server says of itself; returns why it is not to be used, as far as that is for what it may evict.
    private func eviction(of node: Node, _ view: inout NodeView, isNew: Bool) async throws(LimiterError) -> LimiterError? {
        let info: ServerInfo
        do throws(LimiterError) {
            info = ServerInfo(try await node.ask(["INFO"], within: StateWatch.patience).text ?? "")
        } catch {
            guard error.code == .permission else { throw error }
            let lack = AccessTest.lack("the command +info: lost and evicted counts are not noticed")
            if isNew { telemetry.lacksAccess(lack) }
            return isStrict ? lack : nil
        }
        if let id = info.runID, let known = view.runID, id != known { suspectLoss(.runID) }
        view.runID = info.runID ?? view.runID
        if let evicted = info.evictedKeys {
            if let known = view.evictedKeys, evicted > known { telemetry.evicted(evicted - known) }
            view.evictedKeys = evicted
        }
        let unsafe = info.unsafeEviction
        if let unsafe, isNew { telemetry.evictionIsUnsafe(unsafe) }
        telemetry.eviction(of: node.settings.health.name, isUnsafe: unsafe != nil)
        return isStrict ? unsafe : nil
    }
}

// MARK: The canary

extension StateWatch {
    /// Renews the lease that says that this instance lives, and notes what that tells.
    ///
    /// Returns how many instances there are, when this is the node that counts them; other nodes of a cluster have canaries alone.
    private func pulse(_ node: Node, _ view: inout NodeView) async -> Int? {
        guard view.isFit, let tag = router.tag(of: node), let slot = try? StateWatch.slot(tag) else { return nil }
        let lease = Lease(id: instance, slots: [slot])
        if view.lease != lease { view.forgetLease() }
        view.lease = lease
        do throws(LimiterError) {
            if let renewedAt = view.renewedAt, node.now - renewedAt < TimeAmount(StateWatch.lifetime - .seconds(1)) {
                if try await ask(node, .renew(lease, calls.context)).results.first != 1 { suspectLoss(.canary) }
            }
            let sentAt = node.now
            let decision = StoreDecision(charges: [Charge(slot.limit, identity: slot.identity)], leaseID: instance)
            let reply = try await ask(node, .decide([decision], calls.context))
            view.renewedAt = sentAt
            if let step = view.clock.step(reply.time.microseconds, sentAt: sentAt, receivedAt: node.now) {
                telemetry.clockStepped(step)
                lost()
            }
            let remaining = reply.verdicts(on: [decision])[0].readings[0].remaining
            return tag == KeySpace.ownName ? view.count(Int(StateWatch.mostInstances - remaining), at: sentAt) : nil
        } catch {
            return nil
        }
    }

    private func suspectLoss(_ reason: RedisTelemetry.StateLoss) {
        telemetry.suspectsStateLoss(reason)
        lost()
    }

    private func ask(_ node: Node, _ script: ScriptCall) async throws(LimiterError) -> ScriptReply {
        guard case .integers(let integers) = try await node.ask(calls.call(script, by: node.now + StateWatch.patience)) else {
            throw LimiterError(.wireProtocol, "the script's answer is no list of numbers", charge: .unknown)
        }
        return ScriptReply(integers)
    }

    private static func slot(_ tag: String) throws(LimiterError) -> Lease.Slot {
        Lease.Slot(
            identity: try Identity(.global, tag),
            limit: try Limit("instances", .concurrency(StateWatch.mostInstances, timeToLive: StateWatch.lifetime))
        )
    }
}
