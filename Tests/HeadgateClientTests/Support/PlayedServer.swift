import AsyncHTTPClient
import HeadgateTesting
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

@testable import HeadgateClient

/// A server whose answers a test gives, in place of a network.
final class PlayedServer: Transport {
    typealias Answer = @Sendable (HTTPClientRequest, Int) async throws -> HTTPClientResponse

    private let answer: Answer
    private let seen = Mutex<[HTTPClientRequest]>([])

    /// Creates a server; `answer` is told the request and how many came before it.
    init(_ answer: @escaping Answer) { self.answer = answer }

    var requests: [HTTPClientRequest] { seen.withLock { $0 } }

    func send(_ request: HTTPClientRequest, within time: Duration, logger: Logger?) async throws -> HTTPClientResponse {
        let index = seen.withLock { seen in
            seen.append(request)
            return seen.count - 1
        }
        return try await answer(request, index)
    }
}

extension PoliteClient {
    /// A client of a played server, by a clock that stands still until told, with no chance: waits are the longest there are.
    convenience init(
        _ server: PlayedServer,
        _ clock: ManualClock,
        delegate: any ClientDelegate = NoDelegate(),
        telemetry: ClientTelemetry = ClientTelemetry(logger: Logger(label: "test")),
        _ change: (inout ClientConfiguration) -> Void = { _ in }
    ) {
        var configuration = ClientConfiguration()
        change(&configuration)
        self.init(
            transport: server,
            configuration: configuration,
            delegate: delegate,
            telemetry: telemetry,
            clock: clock,
            wallTime: { .seconds(1_640_995_200) + clock.now.sinceStart },
            random: { 1 }
        )
    }

    func get(
        _ path: String,
        timeout: TimeAmount = .seconds(60),
        priority: CallPriority = .normal
    ) async throws(ClientError) -> HTTPClientResponse {
        try await execute(HTTPClientRequest(url: "http://api.test\(path)"), timeout: timeout, priority: priority)
    }
}

extension HTTPClientResponse {
    init(_ status: HTTPResponseStatus, _ headers: [String: String] = [:], body: String = "") {
        self.init(status: status, headers: HTTPHeaders(Array(headers)), body: .bytes(ByteBuffer(string: body)))
    }

    /// The body's text.
    func text() async throws -> String { String(buffer: try await body.collect(upTo: 1 << 20)) }
}

extension ManualClock {
    /// Goes on in small steps until a task is done.
    func run<Result: Sendable>(
        step: Duration = .milliseconds(100),
        atMost longest: Duration = .seconds(7_200),
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while self.now.sinceStart < longest {
                    try Task.checkCancellation()
                    for _ in 0..<20 { await Task.yield() }
                    self.advance(by: step)
                }
                return nil
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() ?? nil else { throw CancellationError() }
            return result
        }
    }
}

/// The error that a body throws.
func failure<Result>(_ body: () async throws -> Result) async -> ClientError? {
    do {
        _ = try await body()
        return nil
    } catch { return error as? ClientError }
}
