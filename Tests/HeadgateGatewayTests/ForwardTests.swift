import HeadgateGateway
import HeadgateHTTP
import Testing
import TestSupport

@Suite("A request is passed on", .serialized, .exclusive)
struct ForwardTests {
    @Test("with method, target, fields and body as they were sent, and its answer likewise")
    func exchange() async throws {
        try await RawServer.run { upstream in
            try await Gateway.run(to: .local(upstream.port)) { gateway in
                let client = try await gateway.connect()
                let target = "/a%2Fb/..;/{x}|y?q=a+b&[]=\"^"
                client.send(
                    "PATCH \(target) HTTP/1.1\r\nHost: api.example:81\r\nX-Odd: 1\r\nx-odd: 2\r\nContent-Length: 5\r\n\r\nhello"
                )
                let server = try await upstream.request()
                let request = try await server.wait(for: "hello")
                #expect(request.hasPrefix("PATCH \(target) HTTP/1.1\r\n"))
                for line in [
                    "Host: api.example:81", "X-Odd: 1", "x-odd: 2", "Content-Length: 5", "X-Forwarded-For: 127.0.0.1",
                    "X-Forwarded-Host: api.example:81", "X-Forwarded-Proto: http",
                ] {
                    #expect(request.contains("\r\n\(line)\r\n"), "\(line) in \(request)")
                }
                #expect(!request.contains("X-Headgate"))
                server.send(
                    "HTTP/1.1 299 Odd\r\nContent-Length: 2\r\nX-Answer: a\r\nx-answer: b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nok"
                )
                let answer = try await client.wait(for: "ok")
                #expect(answer.hasPrefix("HTTP/1.1 299 Odd\r\n"))
                for line in ["Content-Length: 2", "X-Answer: a", "x-answer: b", "Set-Cookie: a=1", "Set-Cookie: b=2"] {
                    #expect(answer.contains("\r\n\(line)\r\n"), "\(line) in \(answer)")
                }
                #expect(!answer.lowercased().contains("transfer-encoding"))
                // Both connections serve the next request.
                client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n")
                try await server.wait(for: "GET /next HTTP/1.1\r\n")
                server.send("HTTP/1.1 204 No Content\r\n\r\n")
                try await client.wait(for: "HTTP/1.1 204 No Content\r\n")
            }
        }
    }
}
