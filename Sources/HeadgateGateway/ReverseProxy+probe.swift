import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

extension ReverseProxy {
    /// Asks the upstream whether it is there, over a connection of its own, within a second.
    ///
    /// - Throws: ``GatewayError`` when it is not.
    public func probe() async throws(GatewayError) {
        do {
            switch upstream.probe {
            case .connect: try await connect()
            case .get(let path): try await get(path)
            }
        } catch {
            throw GatewayError(error, wasConnected: false)
        }
    }

    private static let patience = TimeAmount.seconds(1)

    private func connect() async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(ReverseProxy.patience)
            .connect(host: upstream.host, port: upstream.port)
            .get()
        channel.close(promise: nil)
    }

    private func get(_ path: String) async throws {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: ReverseProxy.patience)
        )
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        let status = try await HTTPClient.withHTTPClient(
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            configuration: configuration
        ) { client in
            try await client.execute(HTTPClientRequest(url: upstream.origin + path), timeout: ReverseProxy.patience).status
        }
        guard status.code < 500 else { throw GatewayError(.unhealthy) }
    }
}
