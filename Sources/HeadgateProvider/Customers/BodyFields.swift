import HTTPTypes
package import Headgate
import HeadgatePolicy
package import HeadgateAccounts
package import HeadgateHTTP
package import HeadgateJSON
package import Hummingbird
import NIOCore

/// The fields of a JSON body, each read with its name at hand for the error.
package struct BodyFields {
    private var fields: JSONFields

    /// Reads a body.
    ///
    /// - Throws: ``AccountError/Code/invalid`` when it is no JSON object.
    package init(_ body: [UInt8]) throws(AccountError) {
        do { fields = try JSONFields(try JSONParser.parse(body), at: "") } catch { throw AccountError(error) }
    }

    /// A factor, as a number.
    package mutating func multiplier(_ name: String) throws(AccountError) -> Multiplier {
        try read(name) { (value) throws(LimiterError) in
            switch value {
            case .integer(let number): try Multiplier(String(number))
            case .number(let text): try Multiplier(text)
            default: throw LimiterError(.badRequest, "expected a number such as 2, found \(value?.kind ?? "nothing")")
            }
        }
    }

    /// A time, such as `24h`.
    package mutating func duration(_ name: String) throws(AccountError) -> Duration {
        try read(name) { (value) throws(LimiterError) in
            guard case .string(let text) = value else {
                throw LimiterError(.badRequest, "expected a time such as \"24h\", found \(value?.kind ?? "nothing")")
            }
            return try Duration(readable: text)
        }
    }

    private mutating func read<Value>(
        _ name: String,
        _ read: (JSONValue?) throws(LimiterError) -> Value
    ) throws(AccountError) -> Value {
        do { return try read(fields.take(name)) } catch { throw AccountError(.invalid, error.message, field: name) }
    }

    /// A text that has to be there and to say something.
    package mutating func text(_ name: String) throws(AccountError) -> String { try BodyFields.said(try optionalText(name), name) }

    /// What somebody says in their own words; a number counts as the text that it is.
    package mutating func words(_ name: String) throws(AccountError) -> String {
        switch fields.take(name) {
        case .integer(let number): String(number)
        case .number(let text): text
        case let value: try BodyFields.said(try BodyFields.text(value, name), name)
        }
    }

    /// A text that may be missing.
    package mutating func optionalText(_ name: String) throws(AccountError) -> String? { try BodyFields.text(fields.take(name), name) }

    private static func text(_ value: JSONValue?, _ name: String) throws(AccountError) -> String? {
        switch value {
        case nil: return nil
        case .string(let text): return text
        case let other?: throw AccountError(.invalid, "expected a text, found \(other.kind)", field: name)
        }
    }

    private static func said(_ text: String?, _ name: String) throws(AccountError) -> String {
        guard let text, !text.allSatisfy(\.isWhitespace) else {
            throw AccountError(.invalid, "expected a text, found nothing", field: name)
        }
        return text
    }

    /// Words in a list, which may be missing.
    package mutating func texts(_ name: String) throws(AccountError) -> [String] {
        guard let value = fields.take(name) else { return [] }
        guard case .array(let elements) = value else { throw AccountError(.invalid, "expected a list, found \(value.kind)", field: name) }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else {
                throw AccountError(.invalid, "expected a list of texts, found \(element.kind) in it", field: name)
            }
            texts.append(text)
        }
        return texts
    }

    /// Any value, which may be missing.
    package mutating func value(_ name: String) -> JSONValue? { fields.take(name) }

    /// Refuses what was not read.
    package func finish() throws(AccountError) {
        guard let name = fields.rest.first else { return }
        throw AccountError(.invalid, "unknown field", field: String(name.prefix(64)))
    }
}

extension Request {
    /// The body, when it is no larger than 64 KiB and comes within 10 seconds.
    ///
    /// - Throws: ``RefusedRequest`` with 413 or 408.
    package func boundedBody(_ style: ResponseStyle) async throws -> [UInt8] {
        let most = 64 * 1024
        let tooLarge = RefusedRequest(
            style.refusal(.contentTooLarge, code: "body_too_large", message: "the body is larger than \(most) bytes")
        )
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > most { throw tooLarge }
        let body = body
        return try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask {
                do {
                    return Array(try await body.collect(upTo: most).readableBytesView)
                } catch is NIOTooManyBytesError {
                    throw tooLarge
                }
            }
            group.addTask {
                try await Task.sleep(for: .seconds(10))
                throw RefusedRequest(style.refusal(.requestTimeout, code: "body_timeout", message: "the body took longer than 10 seconds"))
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }
}
