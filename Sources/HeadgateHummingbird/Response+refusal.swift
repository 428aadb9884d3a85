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
}
