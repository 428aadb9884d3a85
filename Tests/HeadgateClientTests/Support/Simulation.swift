@testable import HeadgateClient

/// A key's lane against a server that is played, in played time: no clock, no sockets.
struct Simulation {
    /// How the server counts.
    enum Algorithm: CaseIterable { case slidingLog, fixedWindow, tokenBucket }

    var algorithm = Algorithm.slidingLog
    var limit = 20
    var window = 6.0
    var slots = 2
    var jobs = 200
    /// Where in a second it begins.
    var phase = 0.0
    var pacing = PacingConfiguration()
    /// The time that the server takes for a request.
    var service = 0.005

    struct Outcome {
        var seconds: Double
        var answers = 0
        var refused = 0
        var shortest: Double
    }

    private struct Server {
        var log: [Double] = []
        var counts: [Int: Int] = [:]
        var full = 0.0
    }

    func run() -> Outcome {
        var lane = Lane(pacing)
        var server = Server()
        var outcome = Outcome(seconds: 0, shortest: window * Double((jobs + limit - 1) / limit - 1))
        var now = phase
        var done = 0
        // What happens next: an answer's coming, or a call's coming back after a denial.
        var ends: [(time: Double, number: UInt64, reading: Reading)] = []
        var returns: [(time: Double, order: UInt64)] = []
        var orders: [UInt64: UInt64] = [:]
        var numbers: UInt64 = 0
        func enter(_ order: UInt64) {
            numbers += 1
            orders[numbers] = order
            let ticket = Ticket(number: numbers, order: order, priority: .normal, deadline: .seconds(1_000_000))
            lane.enter(ticket, on: "r")
        }
        for order in 1...UInt64(jobs) { enter(order) }
        while done < jobs, now < 100_000 {
            let turns = lane.dispatch(at: .seconds(now))
            for number in turns.granted {
                let reading = answer(&server, underway: ends.count + 1, at: now + service / 2)
                ends.append((now + service, number, reading))
            }
            let wake = turns.wake.map { $0 / .seconds(1) }
            guard let next = (ends.map(\.time) + returns.map(\.time) + [wake].compactMap { $0 }).min() else { break }
            // Never quite the same time: seconds as Double and Duration differ in their last digits.
            now = max(now, next) + 0.000_001
            for end in ends where end.time <= now {
                lane.learn(end.reading, to: end.number, at: .seconds(now))
                lane.end(end.number, at: .seconds(now))
                outcome.answers += 1
                if end.reading.outcome == .served {
                    done += 1
                } else {
                    outcome.refused += 1
                    returns.append((now + (end.reading.retryAfter ?? .seconds(1)) / .seconds(1), orders[end.number] ?? 0))
                }
            }
            ends.removeAll { $0.time <= now }
            for back in returns where back.time <= now { enter(back.order) }
            returns.removeAll { $0.time <= now }
        }
        outcome.seconds = now - phase
        return outcome
    }

    /// The server's answer, with its resets in whole seconds rounded up.
    private func answer(_ server: inout Server, underway: Int, at time: Double) -> Reading {
        if underway > slots {
            let quota = QuotaReading(name: "x-ratelimit \(slots)", limit: Int64(slots), remaining: 0, reset: .seconds(30))
            return Reading(status: 429, outcome: .limited, quotas: [quota], retryAfter: .seconds(30))
        }
        let (used, allowed, more) = charge(&server, at: time)
        let reset = Duration.seconds((more.rounded(.up)) - (time + service / 2))
        let quota = QuotaReading(name: "x-ratelimit \(limit)", limit: Int64(limit), remaining: Int64(limit - used), reset: reset)
        return Reading(
            status: allowed ? 200 : 429,
            outcome: allowed ? .served : .limited,
            quotas: [quota],
            retryAfter: allowed ? nil : .seconds((more - time).rounded(.up))
        )
    }

    private func charge(_ server: inout Server, at time: Double) -> (used: Int, allowed: Bool, more: Double) {
        switch algorithm {
        case .slidingLog:
            server.log.removeAll { $0 <= time - window }
            let allowed = server.log.count < limit
            if allowed { server.log.append(time) }
            return (server.log.count, allowed, (server.log.first ?? time) + window)
        case .fixedWindow:
            let index = Int(time / window)
            let count = server.counts[index] ?? 0
            if count < limit { server.counts[index] = count + 1 }
            return (server.counts[index] ?? 0, count < limit, Double(index + 1) * window)
        case .tokenBucket:
            let step = window / Double(limit)
            let full = max(server.full, time)
            let allowed = full + step - time <= window + 1e-9
            if allowed { server.full = full + step }
            let used = ((server.full - time) / step - 1e-9).rounded(.up)
            return (Int(used), allowed, server.full - (used - 1) * step)
        }
    }
}
