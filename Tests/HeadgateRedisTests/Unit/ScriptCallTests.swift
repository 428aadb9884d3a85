import Headgate
import Testing

@testable import HeadgateRedis

@Suite("A call of the script")
struct ScriptCallTests {
    private func context() throws -> ScriptContext {
        ScriptContext(script: try RedisScript.headgate(), keys: try KeySpace(prefix: "hg"), nonce: 1)
    }

    private func charges(_ count: Int) throws -> [Charge] {
        let identity = try Identity(.account, "acme")
        return try (0..<count).map { Charge(try Limit("limit\($0)", .fixedWindow(1, per: .seconds(60))), identity: identity) }
    }

    @Test("whose answer the reader would refuse is refused before it is sent")
    func answerBound() throws {
        #expect(ScriptCall.mostIntegers < 20_000)
        let most = ScriptCall.mostIntegers / 6
        let fits = StoreDecision(charges: try charges(most - 1))
        #expect(try ScriptCall.decide([fits], context()).replyCount <= ScriptCall.mostIntegers)
        let tooMany = StoreDecision(charges: try charges(most + 1))
        let error = try #require(throws: LimiterError.self) { try ScriptCall.decide([tooMany], context()) }
        #expect(error.code == .badRequest)
        let receipts = try charges(1).flatMap { charge in
            (0...ScriptCall.mostIntegers).map { _ in Receipt(limit: charge.limit, identity: charge.identity, units: 1, stamp: 1) }
        }
        #expect(throws: LimiterError.self) { try ScriptCall.refund(receipts, context()) }
    }
}
