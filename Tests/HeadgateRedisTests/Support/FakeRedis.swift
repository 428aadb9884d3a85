import Foundation
import NIOCore
import NIOPosix
import Synchronization

@testable import HeadgateRedis

/// A server on a Unix socket that answers the greeting as Redis does, and our script as a test wants.
final class FakeRedis: Sendable {
    /// What the server does with one command.
    enum Step: Sendable {
        case send(String)
        case later(String, TimeAmount)
        case drip(String, every: TimeAmount)
        case close
    }

    /// One command as the server got it.
    struct Command: Sendable {
        let arguments: [String]
        /// The connection's number, from 0.
        let connection: Int
        /// How many calls of the script came before this one, on all connections.
        let earlierCalls: Int

        var isScriptCall: Bool { arguments.first == "EVALSHA" }
        /// What the real script would repeat.
        var nonce: String {
            guard arguments.count > 2, let keys = Int(arguments[2]), arguments.count > 3 + keys else { return "" }
            return arguments[3 + keys]
        }
    }

    typealias Behaviour = @Sendable (Command) -> [Step]

    let socket: String
    private let channel: any Channel
    private let counters: Counters

    /// How many connections were accepted.
    var connections: Int { counters.connections.load(ordering: .relaxed) }
    /// Nonces of all calls of the script, in order.
    var nonces: [String] { counters.nonces.withLock { $0 } }
    /// Names of all other commands.
    var others: [String] { counters.others.withLock { $0 } }

    init(_ behaviour: @escaping Behaviour) async throws {
        socket = FileManager.default.temporaryDirectory.path + "/hgf-\(UInt32.random(in: 0 ... .max))"
        let counters = Counters()
        self.counters = counters
        channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let number = counters.connections.wrappingAdd(1, ordering: .relaxed).oldValue
                    try channel.pipeline.syncOperations.addHandler(Connection(number: number, counters: counters, behaviour: behaviour))
                }
            }
            .bind(unixDomainSocketPath: socket).get()
    }

    func stop() async {
        try? await channel.close()
        try? FileManager.default.removeItem(atPath: socket)
    }

    /// The script's good answer to a decision with one charge: granted.
    static func granted(_ nonce: String) -> String {
        "*9\r\n:\(nonce)\r\n:1763782569123456\r\n:1\r\n:1\r\n:9\r\n:0\r\n:0\r\n:0\r\n:0\r\n"
    }

    /// The script's good answer to whatever it is asked for: all that is asked is granted.
    static func granted(_ command: Command) -> String {
        var numbers = [command.nonce, "1763782569123456"]
        let arguments = command.arguments
        guard arguments.count > 2, let keys = Int(arguments[2]), arguments.count > 5 + keys, let count = Int(arguments[5 + keys]) else {
            return ""
        }
        if arguments[4 + keys] == "decide" {
            var at = 6 + keys
            for _ in 0..<count {
                let (granted, charges) = (arguments[at], Int(arguments[at + 2]) ?? 0)
                numbers.append(granted)
                for _ in 0..<charges { numbers += [granted, "9", "0", "0", "0", "0"] }
                at += 3 + charges * 7
            }
        } else {
            numbers.append("1")
        }
        return "*\(numbers.count)\r\n" + numbers.map { ":\($0)\r\n" }.joined()
    }

    private final class Counters: Sendable {
        let connections = Atomic<Int>(0)
        let nonces = Mutex<[String]>([])
        let others = Mutex<[String]>([])
    }

    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let number: Int
        private let counters: Counters
        private let behaviour: Behaviour
        private var received = ByteBuffer()
        private var busyUntil = NIODeadline.uptimeNanoseconds(0)

        init(number: Int, counters: Counters, behaviour: @escaping Behaviour) {
            self.number = number
            self.counters = counters
            self.behaviour = behaviour
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
            while let arguments = nextCommand() { answer(arguments, context) }
        }

        private func answer(_ arguments: [String], _ context: ChannelHandlerContext) {
            var command = Command(arguments: arguments, connection: number, earlierCalls: 0)
            if command.isScriptCall {
                let nonce = command.nonce
                let earlier = counters.nonces.withLock { nonces in
                    nonces.append(nonce)
                    return nonces.count - 1
                }
                command = Command(arguments: arguments, connection: number, earlierCalls: earlier)
            } else {
                counters.others.withLock { $0.append(arguments[0]) }
            }
            for step in behaviour(command) { perform(step, context) }
        }

        private func perform(_ step: Step, _ context: ChannelHandlerContext) {
            switch step {
            case .send(let text):
                // Redis answers in order.
                guard busyUntil <= context.eventLoop.now else { return later(text, context) }
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
            case .later(let text, let delay):
                busyUntil = max(busyUntil, context.eventLoop.now + delay)
                later(text, context)
            case .drip(let text, let every):
                let channel = context.channel
                for (index, byte) in text.utf8.enumerated() {
                    channel.eventLoop.scheduleTask(in: .nanoseconds(every.nanoseconds * Int64(index + 1))) {
                        channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil)
                    }
                }
            case .close:
                context.close(promise: nil)
            }
        }

        private func later(_ text: String, _ context: ChannelHandlerContext) {
            let channel = context.channel
            channel.eventLoop.scheduleTask(deadline: busyUntil) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }
        }

        /// The next whole command, a list of bulk strings.
        private func nextCommand() -> [String]? {
            var copy = received
            guard let count = number(after: "*", &copy) else { return nil }
            var arguments: [String] = []
            for _ in 0..<count {
                guard let length = number(after: "$", &copy), let text = copy.readString(length: length), copy.readSlice(length: 2) != nil
                else { return nil }
                arguments.append(text)
            }
            received = copy
            return arguments
        }

        private func number(after sign: Character, _ buffer: inout ByteBuffer) -> Int? {
            let view = buffer.readableBytesView
            guard let end = view.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
            let line = String(decoding: view[..<end], as: UTF8.self)
            buffer.moveReaderIndex(to: end + 1)
            guard line.first == sign else { return nil }
            return Int(line.dropFirst().dropLast())
        }
    }
}

/// Runs a body beside a fake server that greets as Redis does and answers calls of the script by `script`.
func withFake<Result>(
    _ script: @escaping FakeRedis.Behaviour,
    _ body: (FakeRedis) async throws -> Result
) async throws -> Result {
    let digest = try RedisScript.headgate().digest
    let fake = try await FakeRedis { command in
        if command.isScriptCall { return script(command) }
        switch command.arguments.first {
        case "SCRIPT": return [.send("$40\r\n\(digest)\r\n")]
        case "ROLE": return [.send("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")]
        default: return [.send("+OK\r\n")]
        }
    }
    do {
        let result = try await body(fake)
        await fake.stop()
        return result
    } catch {
        await fake.stop()
        throw error
    }
}
