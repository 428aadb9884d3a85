import HeadgateGateway
import Logging
import TestSupport
import Testing

@Suite("A probe of the upstream", .serialized, .exclusive)
struct ProbeTests {
    @Test("passes when it accepts a connection, and fails when it does not")
    func connection() async throws {
        let port = try await RawServer.run { upstream in
            try await proxy(to: upstream.port, .connect).probe()
            return upstream.port
        }
        await #expect { try await proxy(to: port, .connect).probe() } throws: { ($0 as? GatewayError)?.code == .unreachable }
    }

    @Test("passes when it answers with less than 500", arguments: [(200, true), (404, true), (500, false), (503, false)])
    func answer(status: Int, isWell: Bool) async throws {
        try await RawServer.run { upstream in
            let proxy = try proxy(to: upstream.port, .get(path: "/health?full"))
            async let result: Void = proxy.probe()
            let server = try await upstream.request()
            #expect(server.text.hasPrefix("GET /health?full HTTP/1.1\r\n"))
            server.send("HTTP/1.1 \(status) Whatever\r\nContent-Length: 100000\r\n\r\n")
            do {
                try await result
                #expect(isWell)
            } catch let error as GatewayError {
                #expect(!isWell && error.code == .unhealthy)
            }
        }
    }

    @Test("fails within little more than a second when there is no answer")
    func silence() async throws {
        try await RawServer.run { upstream in
            let proxy = try proxy(to: upstream.port, .get(path: "/health"))
            let start = ContinuousClock.now
            await #expect { try await proxy.probe() } throws: { ($0 as? GatewayError)?.code == .timeout }
            #expect(ContinuousClock.now - start < .milliseconds(1_500))
        }
    }

    private func proxy(to port: Int, _ probe: Upstream.Probe) throws -> ReverseProxy {
        var upstream = try Upstream.local(port)
        upstream.probe = probe
        return ReverseProxy(to: upstream, logger: Logger(label: "test"))
    }
}
