internal import Headgate
internal import NIOCore

extension LaneCore {
    /// Whether all that waits are decisions that are to travel with others.
    var isHoldingBack: Bool { packer.holdsBack(waiting.count) && waiting.allSatisfy(\.isHeldBack) }

    /// Waiting calls as they are sent now: decisions together, all else by itself.
    func packed(_ attempts: CircularBuffer<Attempt>) -> CircularBuffer<Attempt> {
        guard let calls = settings.calls else { return attempts }
        let now = eventLoop.now
        var packed = CircularBuffer<Attempt>()
        let holdsBack = packer.holdsBack(attempts.count)
        for attempt in attempts {
            if holdsBack, attempt.isHeldBack {
                waiting.append(attempt)
                continue
            }
            guard let part = attempt.call.part else {
                appendPackets(to: &packed, calls)
                packed.append(attempt)
                continue
            }
            if attempt.call.deadline > now {
                packer.take(attempt.call, part)
            } else {
                attempt.call.giveUp(.deadlineExceeded, "the deadline passed before the call could be sent to Redis")
            }
        }
        appendPackets(to: &packed, calls)
        return packed
    }

    private func appendPackets(to attempts: inout CircularBuffer<Attempt>, _ calls: CallMaker) {
        for packet in packer.takeMade() {
            let core = NIOLoopBound(self, eventLoop: eventLoop)
            let answered: Call.Caller = { [eventLoop] answer in
                if eventLoop.inEventLoop {
                    core.value.landed(packet, answer)
                } else {
                    eventLoop.execute { core.value.landed(packet, answer) }
                }
            }
            do {
                let carrier = try calls.carrier(of: packet)
                if carrier.begin(answered) { attempts.append(Attempt(carrier)) }
            } catch {
                landed(packet, .failure(error))
            }
        }
    }

    /// A packet has its answer: first those go who waited for it, then its callers hear of it.
    private func landed(_ packet: Packet, _ answer: Call.Answer) {
        for call in packer.landed(packet) { waiting.append(Attempt(call)) }
        pump()
        packet.distribute(answer)
    }

    /// Gives up those whose deadline has come; each counts for the breaker as a call of its own would.
    func expirePacks(at now: NIODeadline) {
        let (next, expired) = packer.expire(at: now)
        packsExpireAt = next
        guard expired > 0, let connection, connection.isSilent(at: now) else { return }
        for _ in 0..<min(expired, Breaker.mostFailures) {
            nodeFailed(LimiterError(.deadlineExceeded, "Redis does not answer within the deadline"))
        }
    }
}

extension Attempt {
    /// Whether it may wait for company: in a cluster each decision goes alone.
    fileprivate var isHeldBack: Bool { call.part != nil && call.slot == nil }
}
