import Headgate
import NIOCore

@testable import HeadgateRedis

/// Calls for tests of the logic alone.
extension Call {
    /// A call of the script that nobody waits for.
    static func script(nonce: Int64, count: Int = 3, deadline: NIODeadline = .distantFuture, in load: Load = Load(.init())) throws -> Call {
        let call = try make(.integers(count: count, nonce: nonce), deadline, load)
        _ = call.begin(nil)
        return call
    }

    /// Any other command that nobody waits for.
    static func command() throws -> Call {
        let call = try make(.anything, .distantFuture, Load(.init()))
        _ = call.begin(nil)
        return call
    }

    /// A call that has not begun.
    static func make(_ expectation: Expectation, _ deadline: NIODeadline, _ load: Load) throws -> Call {
        let frame = Array("*1\r\n$4\r\nPING\r\n".utf8)
        return Call(frame: frame, expecting: expectation, deadline: deadline, share: try load.take(decisions: 1, bytes: frame.count))
    }
}

extension ConnectionMachine.Action {
    /// What the action is, in a word.
    var name: String {
        switch self {
        case .none: "none"
        case .becomeReady: "ready"
        case .complete: "complete"
        case .fail(_, let error): "fail \(error.code) \(error.charge)"
        case .sendAgain(_, let loadingScript): loadingScript ? "load and send again" : "send again"
        case .handOver: "hand over"
        case .redirect(_, let fault): "redirect \(fault.kind)"
        case .close(let error): "close \(error.code)"
        }
    }

    /// The attempt to be sent again, here or elsewhere.
    var attempt: Attempt? {
        switch self {
        case .sendAgain(let attempt, _), .handOver(let attempt), .redirect(let attempt, _): attempt
        case .none, .becomeReady, .complete, .fail, .close: nil
        }
    }
}

extension RedisReply {
    static func fault(_ kind: RedisFault.Kind) -> RedisReply { .fault(RedisFault(kind, text: "\(kind)")) }
    static let ok = RedisReply.value(.bytes(Array("OK".utf8)))
}
