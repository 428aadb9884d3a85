internal import NIOCore

extension ConnectionMachine {
    /// The calls whose deadline has come, and the earliest deadline of the others that somebody waits for.
    mutating func overdue(at now: NIODeadline) -> (calls: [Call], next: NIODeadline?) {
        var calls: [Call] = []
        var next: NIODeadline?
        var onlySettled = true
        for entry in owed.dropFirst(settled) {
            switch entry.purpose {
            case .greeting, .reload, .asking:
                if onlySettled { settled += 1 }
            case .call(let attempt, _):
                if attempt.call.isOver {
                    if onlySettled { settled += 1 }
                } else if attempt.call.deadline <= now {
                    calls.append(attempt.call)
                    if onlySettled { settled += 1 }
                } else {
                    onlySettled = false
                    next = min(next ?? attempt.call.deadline, attempt.call.deadline)
                }
            }
        }
        return (calls, next)
    }

    /// When the oldest of what is owed was sent.
    var oldestSending: NIODeadline? { owed.first?.sentAt }

    /// When the connection counts as stalled unless a reply comes.
    func stalls(after timeout: TimeAmount) -> NIODeadline? {
        guard let first = owed.first else { return nil }
        switch first.purpose {
        case .greeting, .reload, .asking: return first.sentAt + timeout
        case .call(let attempt, _): return max(first.sentAt + timeout, attempt.call.deadline)
        }
    }

    /// Whether a caller waits for a reply.
    var isAwaited: Bool {
        owed.dropFirst(settled).contains { entry in
            switch entry.purpose {
            case .call(let attempt, _): !attempt.call.isOver
            case .greeting, .reload, .asking: false
            }
        }
    }
}
