public import HTTPTypes

/// A whole answer to a request that does not go on: status, header fields and body.
public struct HTTPRefusal: Sendable, Hashable {
    /// 429 when a limit denies, 503 for our own trouble, 4xx when the request itself is wrong; never mixed up.
    public var status: HTTPResponse.Status

    /// All fields that belong to the answer, `Content-Type` included; `Content-Length` is the server's.
    public var headerFields: HTTPFields

    /// The body, JSON in UTF-8 on one line.
    public var body: [UInt8]

    /// Creates a refusal.
    public init(status: HTTPResponse.Status, headerFields: HTTPFields, body: [UInt8]) {
        self.status = status
        self.headerFields = headerFields
        self.body = body
    }
}
