import HTTPTypes
import HeadgateJSON
import Hummingbird
import NIOCore

/// `GET /openapi.json`: what this listener serves.
struct OpenAPIRoute {
    private let body: ByteBuffer

    init(_ document: OpenAPIDocument) { body = ByteBuffer(bytes: document.json.bytes) }

    func add(to router: some RouterMethods<some RequestContext>) {
        router.get("/openapi.json") { _, _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: body))
        }
    }
}
