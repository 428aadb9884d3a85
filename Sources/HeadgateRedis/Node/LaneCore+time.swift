internal import Headgate
internal import NIOCore

extension LaneCore {
    /// One callback a lane is armed, for whatever comes first.
    func arm(at deadline: NIODeadline) {
        if let timer {
            guard deadline < timer.at else { return }
            timer.task.cancel()
        }
        // Deadlines that follow each other closely share a callback.
        let at = deadline + .microseconds(500)
        timer = (deadline, eventLoop.assumeIsolated().scheduleTask(deadline: at) { self.tick() })
    }

    func tick() {
        timer = nil
        let now = eventLoop.now
        if let dialEnds, dialEnds <= now {
            connection?.end(LimiterError(.connect, "Redis did not accept the connection in time"))
        }
        connection?.tick(at: now)
        perform(reconnection.tick(at: now, othersUp: othersUp, random: settings.random()))
        expirePacks(at: now)
        expireWaiting(at: now)
        probeIfDue(at: now)
        finishStopping()
        rearm()
    }

    func expireWaiting(at now: NIODeadline) {
        var rest = CircularBuffer<Attempt>()
        var expired: [Attempt] = []
        for attempt in waiting where !attempt.call.isOver {
            if attempt.call.deadline > now { rest.append(attempt) } else { expired.append(attempt) }
        }
        // First the queue is whole again: whoever hears that a call is over may put others in.
        waiting = rest
        for attempt in expired {
            if case .idle = reconnection.phase {
                attempt.call.finish(.failure(LaneCore.notRunning))
            } else if let connection, connection.takesCalls {
                attempt.call.giveUp(.deadlineExceeded, "Redis did not answer those before it within the deadline")
                if connection.isSilent(at: eventLoop.now) {
                    nodeFailed(LimiterError(.deadlineExceeded, "Redis does not answer within the deadline"))
                }
            } else {
                attempt.call.giveUp(.deadlineExceeded, "there was no connection to Redis within the deadline")
                nodeFailed(LimiterError(.deadlineExceeded, "there is no connection to Redis"))
            }
        }
    }

    func rearm() {
        let deadlines = [
            waiting.lazy.map { $0.call.deadline }.min(), connection?.wakesAt, reconnection.wakesAt, dialEnds, stopping?.limit, probesAt,
            packsExpireAt,
        ]
        if let next = deadlines.compactMap(\.self).min() { arm(at: next) }
    }
}
