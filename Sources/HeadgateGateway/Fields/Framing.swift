import AsyncHTTPClient
import HTTPTypes
import NIOHTTP1

extension HTTPRequest {
    /// The length of the body; `nil` when there is none.
    var bodyLength: HTTPClientRequest.Body.Length? {
        if headerFields.contains(.transferEncoding) { return .unknown }
        return headerFields[.contentLength].flatMap { Int64($0) }.flatMap { $0 > 0 ? .known($0) : nil }
    }
}

extension HTTPFields {
    /// The fields as NIO reads them; a name that is none is left out.
    init(_ headers: HTTPHeaders) {
        self.init()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { append(HTTPField(name: name, value: value)) }
        }
    }

    /// The fields behind a body, without those that have a meaning only before it (RFC 9110 6.5.1).
    init(trailers: HTTPHeaders) {
        self = HTTPFields(trailers).endToEnd.filter { !["content-length", "host", "trailer"].contains($0.name.canonicalName) }
    }
}

extension HTTPHeaders {
    /// The fields as NIO writes them.
    init(_ fields: HTTPFields) { self.init(fields.map { ($0.name.rawName, $0.value) }) }
}
