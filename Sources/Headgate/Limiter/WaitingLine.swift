internal import Synchronization

/// Who waits for which limits in this process: one line for each subject and set of limits, first come first served.
final class WaitingLine: Sendable {
    /// What a line is for.
    struct Key: Sendable, Hashable {
        var limits: [String]
    }

    /// The most callers that wait in all lines together.
    static let mostPlaces = 65_536

    private struct Line {
        /// By number, in the order of coming; the lowest has the turn.
        var places: [Int: Place] = [:]
        var first = 0
        var next = 0
    }

    private struct State {
        var lines: [Key: Line] = [:]
        var count = 0
    }

    private let state = Mutex(State())

    /// Takes the last place of a line; the first place of an empty line has its turn at once.
    ///
    /// - Throws: ``LimiterError/Code/overloaded`` when too many wait.
    func enter(_ key: Key) throws(LimiterError) -> Place {
        let place: Place? = state.withLock { state in
            guard state.count < WaitingLine.mostPlaces else { return nil }
            state.count += 1
            let place = Place(number: state.lines[key]?.next ?? 0)
            state.lines[key, default: Line()].places[place.number] = place
            state.lines[key]?.next += 1
            if state.lines[key]?.places.count == 1 { place.begin() }
            return place
        }
        guard let place else {
            throw LimiterError(.overloaded, "\(WaitingLine.mostPlaces) callers wait for a limit in this process already")
        }
        return place
    }

    /// Waits until it is a place's turn, or the task is cancelled.
    func turn(of place: Place) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { place.wait($0) }
        } onCancel: {
            place.giveUp()
        }
    }

    /// Gives a place up; when it had the turn, the next one has it.
    func leave(_ key: Key, _ place: Place) {
        let next: Place? = state.withLock { state in
            guard state.lines[key]?.places.removeValue(forKey: place.number) != nil else { return nil }
            state.count -= 1
            guard let line = state.lines[key], !line.places.isEmpty else {
                state.lines[key] = nil
                return nil
            }
            guard place.number == line.first else { return nil }
            var first = line.first
            while line.places[first] == nil { first += 1 }
            state.lines[key]?.first = first
            return line.places[first]
        }
        next?.begin()
    }

    /// How many places are taken, in all lines.
    var count: Int { state.withLock { $0.count } }
}

extension WaitingLine {
    /// A place in a line.
    final class Place: Sendable {
        private struct State {
            var hasTurn = false
            var isOver = false
            var waiter: CheckedContinuation<Void, Never>?
        }

        fileprivate let number: Int
        private let state = Mutex(State())

        fileprivate init(number: Int) { self.number = number }

        /// Whether its turn has come; it keeps the turn until it leaves.
        var hasTurn: Bool { state.withLock { $0.hasTurn } }

        fileprivate func begin() { end { $0.hasTurn = true } }
        fileprivate func giveUp() { end { _ in } }

        /// Ends the wait, if there is one now or later.
        private func end(_ change: (inout State) -> Void) {
            let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
                change(&state)
                state.isOver = true
                return state.waiter.take()
            }
            waiter?.resume()
        }

        fileprivate func wait(_ waiter: CheckedContinuation<Void, Never>) {
            let isOver = state.withLock { state in
                if !state.isOver { state.waiter = waiter }
                return state.isOver
            }
            if isOver { waiter.resume() }
        }
    }
}
