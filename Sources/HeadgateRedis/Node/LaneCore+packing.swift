internal import Headgate
internal import NIOCore

extension LaneCore {
    /// Takes a call on its way: decisions go together, all else by itself.
    func take(_ attempt: Attempt) {
        guard let part = attempt.call.part else {
            launch()
            waiting.append(attempt)
            return
        }
        guard attempt.call.deadline > eventLoop.now else {
            return attempt.call.giveUp(.deadlineExceeded, "the deadline passed before the call could be sent to Redis")
        }
        packer.take(attempt.call, part)
    }

    /// Puts the packets that are made among what waits to be sent.
    func launch() {
        guard let calls = settings.calls else { return }
        for packet in packer.takeMade() {
            let bound = NIOLoopBound(self, eventLoop: eventLoop)
            let answered: Call.Caller = { [eventLoop] answer in
                if eventLoop.inEventLoop {
                    bound.value.landed(packet, answer)
                } else {
                    eventLoop.execute { bound.value.landed(packet, answer) }
                }
            }
            do {
                let carrier = try calls.carrier(of: packet)
                if carrier.begin(answered) { waiting.append(Attempt(carrier)) }
            } catch {
                packet.distribute(.failure(error))
            }
        }
    }

    /// Gives up those whose deadline has come; each counts for the breaker as a call of its own would.
    func expirePacks(at now: NIODeadline) {
        let (next, expired) = packer.expire(at: now)
        packsExpireAt = next
        guard expired > 0, connection?.isSilent(at: now) ?? true else { return }
        for _ in 0..<min(expired, Breaker.mostFailures) {
            nodeFailed(LimiterError(.deadlineExceeded, "Redis does not answer within the deadline"))
        }
    }

    /// A packet has its answer: first those go who waited for it, then its callers hear of it.
    private func landed(_ packet: Packet, _ answer: Call.Answer) {
        packer.landed(packet)
        launch()
        pump()
        packet.distribute(answer)
    }
}
