internal import Synchronization

/// Who waits for which limits in this process: one line for each subject and set of limits, first come first served.
final class WaitingLine: Sendable {
    /// What a line is for.
    struct Key: Sendable, Hashable {
        var limits: [String]
    }

    /// A place in a line.
    final class Place: Sendable {
        fileprivate enum State: Sendable {
            case waiting(CheckedContinuation<Turn, Never>?)
            case over(Turn)
        }

        fileprivate let state: Mutex<State> = Mutex(.waiting(nil))

        /// Ends the wait, unless it has ended.
        fileprivate func finish(_ turn: Turn) {
            let continuation: CheckedContinuation<Turn, Never>? = state.withLock { state in
                guard case .waiting(let continuation) = state else { return nil }
                state = .over(turn)
                return continuation
            }
            continuation?.resume(returning: turn)
        }
    }

    /// How a wait for one's turn ends.
    enum Turn: Sendable {
        /// It is this place's turn; it keeps the turn until it leaves.
        case come
        /// The task was cancelled.
        case cancelled
    }

    private let lines = Mutex<[Key: [Place]]>([:])

    /// Takes the last place of a line; the first place of an empty line has its turn at once.
    func enter(_ key: Key) -> Place {
        let place = Place()
        let isFirst = lines.withLock { lines in
            lines[key, default: []].append(place)
            return lines[key]?.count == 1
        }
        if isFirst { place.finish(.come) }
        return place
    }

    /// Waits until it is a place's turn, or its task is cancelled.
    func turn(of place: Place) async -> Turn {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let over: Turn? = place.state.withLock { state in
                    if case .over(let turn) = state { return turn }
                    state = .waiting(continuation)
                    return nil
                }
                if let over { continuation.resume(returning: over) }
            }
        } onCancel: {
            place.finish(.cancelled)
        }
    }

    /// Gives a place up; when it had the turn, the next one has it.
    func leave(_ key: Key, _ place: Place) {
        let next: Place? = lines.withLock { lines in
            guard var line = lines[key], let index = line.firstIndex(where: { $0 === place }) else { return nil }
            line.remove(at: index)
            lines[key] = line.isEmpty ? nil : line
            return index == 0 ? line.first : nil
        }
        next?.finish(.come)
    }

    /// How many places are taken, in all lines.
    var count: Int { lines.withLock { $0.values.reduce(0) { $0 + $1.count } } }
}
