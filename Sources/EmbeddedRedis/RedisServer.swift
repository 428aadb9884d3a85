internal import Foundation
internal import Synchronization

/// A redis-server of this process' own, with no persistence, that never outlives it.
///
/// It listens on a unix socket in a directory that only this user can enter, and ends with this process however this
/// process ends, `kill -9` included. Besides running Headgate on one host without any set-up, it serves tests of what
/// happens when Redis dies or hangs: ``kill()``, ``suspend()`` and ``restart()``.
public final class RedisServer: Sendable {
    /// Where the server listens: `unix:///…/redis.sock` or `redis://127.0.0.1:port`.
    public let url: String

    private let directory: String
    private let command: [String]
    private let timeout: Duration
    private let state: Mutex<State>

    private struct State {
        var child: GuardedChild?
        /// `nil` once the server was killed, since its number may then go to another process.
        var processIdentifier: Int32?
    }

    /// What a server listens on.
    public enum Listener: Sendable, Hashable {
        /// A unix socket in a private directory.
        case unixSocket
        /// A free TCP port of the loopback address.
        case loopbackPort
    }

    /// Starts a server and returns when it is ready.
    ///
    /// - Parameters:
    ///   - listener: What to listen on.
    ///   - arguments: More arguments of redis-server, after those that make it private and without persistence.
    ///   - timeout: How long it may take to become ready.
    /// - Returns: The server, which runs until it is stopped or dropped.
    /// - Throws: ``RedisServerError`` with the end of the server's log; nothing is left running then.
    public static func start(
        on listener: Listener = .unixSocket,
        arguments: [String] = [],
        timeout: Duration = .seconds(10)
    ) async throws(RedisServerError) -> RedisServer {
        let executable = try ServerDirectory.findExecutable()
        // A port that was seen free may be taken a moment later, so redis-server itself is the one to find out.
        var attempts = listener == .loopbackPort ? 20 : 1
        while true {
            let server = try RedisServer(executable, listener, arguments, timeout)
            do {
                try await server.launch()
                return server
            } catch {
                guard attempts > 1, error.message.contains("Address already in use") else { throw error }
                attempts -= 1
            }
        }
    }

    private init(_ executable: String, _ listener: Listener, _ arguments: [String], _ timeout: Duration) throws(RedisServerError) {
        directory = try ServerDirectory.create()
        let socket = ServerDirectory.socketPath(in: directory)
        let listening: [String]
        switch listener {
        case .unixSocket:
            url = "unix://\(socket)"
            listening = ["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"]
        case .loopbackPort:
            // Below the ports that the kernel gives to outgoing connections.
            let port = Int.random(in: 20_000..<32_768)
            url = "redis://127.0.0.1:\(port)"
            listening = ["--port", "\(port)", "--bind", "127.0.0.1"]
        }
        let home = ["--dir", directory, "--daemonize", "no", "--logfile", ""]
        let memoryOnly = ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
        command = [executable] + home + memoryOnly + listening + arguments
        self.timeout = timeout
        state = Mutex(State())
    }

    private func launch() async throws(RedisServerError) {
        let child = try GuardedChild(command, directory: directory)
        do {
            let processIdentifier = try await child.waitUntilReady(within: timeout) { $0.contains("eady to accept connections") }
            state.withLock { $0 = State(child: child, processIdentifier: processIdentifier) }
        } catch {
            await child.end()
            throw error
        }
    }
}

extension RedisServer {
    /// The process id of redis-server itself; `nil` after ``kill()`` and ``stop()``.
    public var processIdentifier: Int32? { state.withLock { $0.processIdentifier } }

    /// Kills the server with `SIGKILL`; ``restart()`` brings it back empty.
    public func kill() {
        state.withLock { state in
            if let pid = state.processIdentifier { _ = Foundation.kill(pid, SIGKILL) }
            state.processIdentifier = nil
        }
    }

    /// Stops the server in its tracks: connections stay open, and nothing answers.
    public func suspend() { signal(SIGSTOP) }

    /// Lets a suspended server go on.
    public func resume() { signal(SIGCONT) }

    /// Kills the server if it still runs, and starts it anew, empty, at the same address.
    ///
    /// - Throws: ``RedisServerError``; the server is stopped then.
    public func restart() async throws(RedisServerError) {
        kill()
        if let child = state.withLock({ $0.child }) {
            ServerDirectory.keep(directory)
            await child.end()
            ServerDirectory.unkeep(directory)
        }
        try await launch()
    }

    /// Ends the server, and returns when neither it nor its directory is left; dropping the last reference does the same
    /// without waiting.
    public func stop() async {
        let child = state.withLock { state in
            let child = state.child
            state = State()
            return child
        }
        await child?.end()
    }

    private func signal(_ number: Int32) {
        state.withLock { state in
            if let pid = state.processIdentifier { _ = Foundation.kill(pid, number) }
        }
    }
}
