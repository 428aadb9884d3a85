internal import Headgate
internal import NIOCore

extension ClusterRouter {
    /// The shortest time between two readings of the map, and what is added to it at most.
    private static let spacing: Duration = .milliseconds(200)
    private static let jitter: ClosedRange<Int64> = 0...50
    /// The time that one node may take to tell the map.
    private static let answerTimeout: TimeAmount = .milliseconds(500)
    /// How many nodes are asked for one reading.
    private static let mostAsked = 3

    /// Reads the map whenever something gives reason to, and now and then.
    func watch() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: self.settings.refreshInterval)) != nil { self.refresh() }
            }
            for await _ in refreshes.stream {
                await readMap()
                let wait = ClusterRouter.spacing + .milliseconds(Int64.random(in: ClusterRouter.jitter))
                guard (try? await Task.sleep(for: wait)) != nil else { break }
            }
        }
    }

    private func readMap() async {
        let well = nodes.filter(\.isWell).shuffled().prefix(ClusterRouter.mostAsked)
        // Without a node that answers one begins anew.
        let asked = well.isEmpty ? settings.seeds.shuffled().prefix(ClusterRouter.mostAsked).compactMap { node(at: $0) } : Array(well)
        for node in asked {
            do throws(LimiterError) {
                let reply = try await node.ask(["CLUSTER", "SLOTS"], within: ClusterRouter.answerTimeout)
                let map = try SlotMap(reply, askedAt: node.endpoint?.host ?? "")
                guard map.masters.allSatisfy({ settings.allows($0.host ?? "") }) else {
                    throw LimiterError(.clusterDown, "the cluster names a host that the configuration does not allow")
                }
                return take(map)
            } catch {
                telemetry.mapUnread(error)
            }
        }
    }
}
