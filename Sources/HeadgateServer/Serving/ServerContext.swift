import HeadgateGateway
import Hummingbird
import NIOCore

/// What is known of a request beside the request: the connection that it came over.
struct ServerContext: RequestContext, RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?
    let client: ClientConnection

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        remoteAddress = source.channel.remoteAddress
        client = ClientConnection(source.channel)
    }
}
