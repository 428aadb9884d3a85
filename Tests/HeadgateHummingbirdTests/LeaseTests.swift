import HTTPTypes
import Headgate
import HeadgateTesting
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import NIOEmbedded
import Testing

@Suite("A concurrency lease")
struct LeaseTests {
    @Test("is held while the body is written, and released after its last byte")
    func streaming() async throws {
        let store = RecordingStore()
        let app = try app(store, limits: [.slots(2)]) { router in
            router.get("/stream") { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        for piece in ["one", "two"] {
                            #expect(store.events == [.took])
                            try await writer.write(ByteBuffer(string: piece))
                        }
                        try await writer.finish(nil)
                        #expect(store.events == [.took])
                    }
                )
            }
        }
        try await app.test(.router) { client in
            try await client.execute(uri: "/stream", method: .get) { response in
                #expect(String(buffer: response.body) == "onetwo")
            }
        }
        #expect(store.events == [.took, .released])
    }

    @Test("is released when the handler throws", arguments: ["/teapot", "/broken", "/nowhere"])
    func throwing(path: String) async throws {
        let store = RecordingStore()
        try await app(store, limits: [.slots(1)]).test(.router) { client in
            for _ in 0..<3 {
                let response = try await client.executeRequest(uri: path, method: .get, headers: [:], body: nil)
                #expect(response.status != .tooManyRequests)
            }
        }
        #expect(store.events == [.took, .released, .took, .released, .took, .released])
    }

    @Test("is released when the connection dies while the body is written")
    func brokenPipe() async throws {
        let store = RecordingStore()
        let response = try await respond(app(store, limits: [.slots(1)]), to: "/ok")
        await #expect(throws: BrokenPipe.self) { try await response.body.write(BrokenWriter()) }
        #expect(store.events == [.took, .released])
    }

    @Test("is given back when nobody writes the response")
    func dropped() async throws {
        let store = RecordingStore()
        do {
            let response = try await respond(app(store, limits: [.slots(1)]), to: "/ok")
            #expect(response.status == .ok)
            #expect(store.events == [.took])
        }
        #expect(store.events == [.took, .abandoned])
    }

    @Test("is given back when the handler is cancelled")
    func cancelled() async throws {
        let store = RecordingStore()
        let app = try app(store, limits: [.slots(1)]) { router in
            router.get("/slow") { _, _ in
                try await Task.sleep(for: .seconds(3_600))
                return "late"
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await respond(app, to: "/slow") }
            while store.events.isEmpty { await Task.yield() }
            group.cancelAll()
        }
        #expect(store.events == [.took, .abandoned])
    }

    @Test("is renewed every third of its time to live, while the handler runs and while the body is written")
    func renewal() async throws {
        let store = RecordingStore()
        let clock = ManualClock()
        let app = try app(store, limits: [.slots(1, timeToLive: .seconds(30))], clock: clock) { router in
            router.get("/slow") { _, _ in
                try await clock.sleep(for: .seconds(15))
                return Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await clock.sleep(for: .seconds(15))
                        try await writer.finish(nil)
                    }
                )
            }
        }
        try await app.test(.router) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await client.execute(uri: "/slow", method: .get) }
                for part in 0..<2 {
                    // The handler or the body, and the renewal.
                    try await clock.waitForSleepers(2)
                    clock.advance(by: .seconds(10))
                    try await clock.waitForSleepers(2)
                    #expect(store.events == [.took] + Array(repeating: .renewed, count: part + 1))
                    clock.advance(by: .seconds(5))
                }
                try await group.waitForAll()
            }
        }
        #expect(store.events == [.took, .renewed, .renewed, .released])
    }
}

private struct BrokenPipe: Error {}

/// A writer whose connection has died.
private struct BrokenWriter: ResponseBodyWriter {
    func write(_ buffer: ByteBuffer) async throws { throw BrokenPipe() }
    func finish(_ trailingHeaders: HTTPFields?) async throws { throw BrokenPipe() }
}

/// The response to a request, before anybody writes it.
private func respond(_ app: some ApplicationProtocol, to path: String) async throws -> Response {
    let request = Request(
        head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path),
        body: RequestBody(buffer: ByteBuffer())
    )
    let source = ApplicationRequestContextSource(channel: EmbeddedChannel(), logger: Logger(label: "test"))
    return try await answer(request, by: app.responder, source)
}

private func answer<Responder: HTTPResponder>(
    _ request: Request,
    by responder: Responder,
    _ source: ApplicationRequestContextSource
) async throws -> Response where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    try await responder.respond(to: request, context: Responder.Context(source: source))
}
