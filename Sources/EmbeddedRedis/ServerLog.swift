internal import Foundation
internal import Synchronization

/// What a child prints: a stream of its lines while it starts, and the last of them for error messages.
///
/// The stream ends when no process holds the writing end any more, that is, when the child has ended.
final class ServerLog: Sendable {
    let lines: AsyncStream<String>
    private let state = Mutex(State())

    private struct State {
        var partial: [UInt8] = []
        var tail: [String] = []
    }

    private static let linesKept = 20

    init(reading handle: FileHandle) {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingNewest(200))
        self.lines = lines
        // A thread of its own: it blocks for as long as the child lives.
        let reader = Thread { [self] in
            while case let data = handle.availableData, !data.isEmpty {
                for line in take(data) { continuation.yield(line) }
            }
            continuation.finish()
        }
        reader.start()
    }

    /// The last lines, for an error message.
    var tail: String {
        state.withLock { state in state.tail.map { "\n  \($0)" }.joined() }
    }

    /// The lines that these bytes complete.
    private func take(_ data: Data) -> [String] {
        state.withLock { state in
            state.partial.append(contentsOf: data)
            var complete = state.partial.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            let rest = complete.popLast() ?? []
            let lines = complete.map { String(decoding: $0, as: UTF8.self) }
            state.partial = Array(rest)
            state.tail = (state.tail + lines.filter { !$0.isEmpty }).suffix(ServerLog.linesKept)
            return lines
        }
    }
}
