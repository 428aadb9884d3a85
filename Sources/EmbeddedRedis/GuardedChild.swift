internal import Foundation

/// A child process that ends with this process, however this process ends.
///
/// A shell stands between: it starts the child, then reads a pipe whose writing end only this process holds. The end of
/// this process, `kill -9` included, closes the pipe; the shell then kills the child and removes its directory. Where
/// setpriv(1) has it, the kernel's parent-death signal covers the shell's own death as well. That signal is sent when
/// the *thread* that started the child ends, so it would strike at random were the child started from a pool thread of
/// this process; the shell has one thread only.
final class GuardedChild: Sendable {
    let log: ServerLog
    private let shell: Process
    private let lifeline: FileHandle
    private let exits: AsyncStream<Never>

    /// A file of this name in the directory makes the shell leave the directory where it is.
    static let keepMarker = "keep"

    private static let pidPrefix = "headgate-child-pid "

    private static let script = """
        trap '' HUP INT PIPE TERM
        PATH=$PATH:/usr/bin:/bin
        directory=$1; shift
        if setpriv --pdeathsig KILL true 2>/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
        "$@" </dev/null &
        child=$!
        echo "\(pidPrefix)$child"
        exec >/dev/null 2>&1
        while read -r ignored; do :; done
        kill -KILL "$child"
        wait "$child"
        [ -e "$directory/\(keepMarker)" ] || rm -rf "$directory"
        """

    init(_ command: [String], directory: String) throws(RedisServerError) {
        let input = try CloseOnExecPipe()
        let output = try CloseOnExecPipe()
        let (exits, exited) = AsyncStream.makeStream(of: Never.self)
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", GuardedChild.script, "headgate-guard", directory] + command
        shell.standardInput = input.reading
        shell.standardOutput = output.writing
        shell.standardError = output.writing
        shell.terminationHandler = { _ in exited.finish() }
        do {
            try shell.run()
        } catch {
            throw RedisServerError(.failed, "no shell to start redis-server with: \(error)")
        }
        // These ends belong to the shell now; a copy here would keep the log from ending with the child.
        try? input.reading.close()
        try? output.writing.close()
        self.shell = shell
        self.exits = exits
        lifeline = input.writing
        log = ServerLog(reading: output.reading)
    }

    deinit { try? lifeline.close() }

    /// Waits until the child prints a line that says it is ready.
    ///
    /// - Returns: The child's process id.
    func waitUntilReady(within timeout: Duration, isReady: @escaping @Sendable (String) -> Bool) async throws(RedisServerError) -> Int32 {
        do {
            return try await withThrowingTaskGroup(of: Int32.self) { group in
                group.addTask { [log] in
                    var processIdentifier: Int32 = 0
                    for await line in log.lines {
                        if line.hasPrefix(GuardedChild.pidPrefix) {
                            processIdentifier = Int32(line.dropFirst(GuardedChild.pidPrefix.count)) ?? 0
                        } else if isReady(line) {
                            return processIdentifier
                        }
                    }
                    try Task.checkCancellation()
                    throw RedisServerError(.failed, "redis-server ended while starting; its last words:\(log.tail)")
                }
                group.addTask { [log] in
                    try await Task.sleep(for: timeout)
                    throw RedisServerError(.timedOut, "redis-server was not ready after \(timeout); its last words:\(log.tail)")
                }
                defer { group.cancelAll() }
                guard let processIdentifier = try await group.next() else { throw CancellationError() }
                return processIdentifier
            }
        } catch let error as RedisServerError {
            throw error
        } catch {
            throw RedisServerError(.cancelled, "the start of redis-server was cancelled")
        }
    }

    /// Ends the child, and returns when the shell has removed the directory and ended as well.
    func end() async {
        try? lifeline.close()
        for await _ in exits {}
    }
}
