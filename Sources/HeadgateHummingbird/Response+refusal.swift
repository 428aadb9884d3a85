public import HeadgateHTTP
public import Hummingbird
import NIOCore

extension Response {
    /// The response that a refusal describes.
    public init(_ refusal: HTTPRefusal) {
        self.init(
            status: refusal.status,
            headers: refusal.headerFields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: refusal.body))
        )
    }

    /// The response that a refusal describes, to a request: without its body when that is a HEAD (RFC 9110 9.3.2).
    package init(_ refusal: HTTPRefusal, to request: Request) {
        self = Response(refusal).answering(request)
    }

    /// The response as a request may have it: without its body when that is a HEAD, whose sender would take it for the next answer.
    package func answering(_ request: Request) -> Response { request.method == .head ? createHeadResponse() : self }
}
