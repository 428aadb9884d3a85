import Headgate
import Testing

@testable import HeadgateRedis

@Suite("What sentinels say together")
struct MasterPollTests {
    private static let old = RedisEndpoint.host("10.0.0.1", port: 1)
    private static let new = RedisEndpoint.host("10.0.0.2", port: 1)

    /// What follows from each answer: a place, an error's code, or nothing yet.
    private func decided(_ answers: [MasterPoll.Answer], of voters: Int? = nil) -> [String] {
        var poll = MasterPoll(of: voters ?? answers.count, master: "mymaster")
        return answers.map { answer in
            switch poll.heard(answer) {
            case nil: "-"
            case .success(let place): "\(place)"
            case .failure(let error): "\(error.code)"
            }
        }
    }

    @Test("More than half that agree decide, without the others")
    func majority() {
        #expect(decided([.master(Self.new, epoch: 2), .master(Self.new, epoch: 2)], of: 3) == ["-", "10.0.0.2:1"])
        #expect(decided([.master(Self.old, epoch: 1), .failed, .master(Self.old, epoch: 1)]) == ["-", "-", "10.0.0.1:1"])
        #expect(decided([.master(Self.old, epoch: 1)]) == ["10.0.0.1:1"])
        #expect(decided([.master(Self.old, epoch: 1), .master(Self.old, epoch: 1)], of: 4) == ["-", "-"], "half is not more than half")
    }

    @Test("Without a majority the newest configuration counts, once all have said what they say")
    func newest() {
        #expect(decided([.master(Self.new, epoch: 2), .master(Self.old, epoch: 1)]) == ["-", "10.0.0.2:1"])
        #expect(decided([.master(Self.old, epoch: 1), .failed, .master(Self.new, epoch: 2)]) == ["-", "-", "10.0.0.2:1"])
        #expect(decided([.failed, .failed, .master(Self.old, epoch: 1)]) == ["-", "-", "10.0.0.1:1"])
    }

    @Test("An unknown name and no answer at all are told apart")
    func failures() {
        #expect(decided([.failed, .failed, .failed]) == ["-", "-", "noSentinel"])
        #expect(decided([.failed, .unknown, .failed]) == ["-", "-", "unknownMaster"])
        #expect(decided([.unknown, .failed, .master(Self.old, epoch: 0)]) == ["-", "-", "10.0.0.1:1"])
    }

    @Test("A sentinel's reply is read by its fields, whatever else it holds")
    func replies() {
        func answer(_ fields: [String]) -> MasterPoll.Answer {
            MasterPoll.Answer(.success(.value(.array(fields.map { .bytes(Array($0.utf8)) }))))
        }
        #expect(answer(["name", "m", "ip", "10.0.0.1", "port", "1", "config-epoch", "7"]) == .master(Self.old, epoch: 7))
        #expect(answer(["port", "1", "ip", "10.0.0.1"]) == .master(Self.old, epoch: 0))
        for bad in [
            [], ["ip"], ["ip", "10.0.0.1"], ["ip", "", "port", "1"], ["ip", "h", "port", "0"], ["ip", "h", "port", "65536"],
            ["ip", "h", "port", "x"],
        ] {
            #expect(answer(bad) == .failed, "\(bad)")
        }
        #expect(MasterPoll.Answer(.success(.value(.null))) == .failed)
        #expect(MasterPoll.Answer(.success(.integers([1, 2]))) == .failed)
        #expect(MasterPoll.Answer(.failure(LimiterError(.badRequest, "Redis says: ERR No such master with that name"))) == .unknown)
        #expect(MasterPoll.Answer(.failure(LimiterError(.connect, "no"))) == .failed)
    }
}
