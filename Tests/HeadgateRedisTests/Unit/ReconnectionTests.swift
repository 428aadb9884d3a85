import Headgate
import NIOCore
import Testing

@testable import HeadgateRedis

@Suite("Connecting anew")
struct ReconnectionTests {
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)
    private let lost = LimiterError(.connect, "lost")

    private let leader = DrivenReconnection(isLeader: true)
    private let follower = DrivenReconnection(isLeader: false)

    @Test("Waits double from the base up to the cap, and take any part of that")
    func backoff() {
        let backoff = RedisConfiguration.Backoff()
        let longest = (1...8).map { backoff.wait(afterFailures: $0, random: 1).nanoseconds / 1_000_000 }
        #expect(longest == [50, 100, 200, 400, 800, 1_000, 1_000, 1_000])
        #expect(backoff.wait(afterFailures: 3, random: 0) == .zero)
        #expect(backoff.wait(afterFailures: 3, random: 0.5) == .milliseconds(100))
        #expect(backoff.wait(afterFailures: 1_000_000, random: 1) == .seconds(1))
    }

    @Test("The leader dials at once; a follower when another lane is up")
    func begins() {
        #expect(leader.start(at: start, random: 0.5) == .dial)
        #expect(leader.start(at: start, random: 0.5) == .none)
        #expect(follower.start(at: start, random: 0.5) == .none)
        #expect(follower.wakesAt == start + .milliseconds(500))
        #expect(follower.tick(at: start + .milliseconds(499), othersUp: true, random: 0.5) == .none)
        #expect(follower.tick(at: start + .milliseconds(500), othersUp: false, random: 0.2) == .none)
        #expect(follower.wakesAt == start + .milliseconds(700))
        #expect(follower.tick(at: start + .milliseconds(700), othersUp: true, random: 0.5) == .dial)
    }

    @Test("After a failed attempt calls are refused with its reason until the next one")
    func refuses() throws {
        _ = leader.start(at: start, random: 0)
        #expect(leader.ended(lost, hadServed: false, at: start, othersUp: false, random: 0.5) == .none)
        guard case .refusing(let until, let error) = leader.phase else {
            Issue.record("\(leader.phase)")
            return
        }
        #expect(until == start + .milliseconds(25))
        #expect(error.code == .connect)
        #expect(leader.demanded(at: start) == .none)
        #expect(leader.tick(at: until, othersUp: false, random: 0.5) == .dial)
        #expect(leader.ended(lost, hadServed: false, at: until, othersUp: false, random: 0.5) == .none)
        #expect(leader.wakesAt == until + .milliseconds(50))
    }

    @Test("A refusal never says that the calls it meets may have been charged")
    func refusalIsCertain() {
        _ = leader.start(at: start, random: 0)
        _ = leader.ended(lost.with(.unknown), hadServed: false, at: start, othersUp: false, random: 0.5)
        guard case .refusing(_, let error) = leader.phase else {
            Issue.record("\(leader.phase)")
            return
        }
        #expect(error.charge == .notCharged)
    }

    @Test("A good connection that is lost is made anew at once")
    func immediate() {
        _ = leader.start(at: start, random: 0)
        leader.connected(at: start)
        #expect(leader.ended(lost, hadServed: true, at: start + .seconds(1), othersUp: false, random: 0.9) == .dial)
    }

    @Test("Beside a lane that is up, a lost connection waits, so that a fleet does not come back all at once")
    func spread() {
        for isLeader in [true, false] {
            let lane = DrivenReconnection(isLeader: isLeader)
            _ = lane.start(at: start, random: 0)
            _ = lane.tick(at: start + .seconds(1), othersUp: true, random: 0)
            lane.connected(at: start)
            #expect(lane.ended(lost, hadServed: true, at: start + .seconds(9), othersUp: true, random: 0.7) == .none)
            #expect(lane.wakesAt == start + .seconds(9) + .milliseconds(700))
        }
    }

    @Test("A waiting call ends a leader's long wait: at once after a good life, with back-off after a short one")
    func demand() {
        _ = leader.start(at: start, random: 0)
        leader.connected(at: start)
        var now = start + .seconds(9)
        _ = leader.ended(lost, hadServed: true, at: now, othersUp: true, random: 0.7)
        #expect(leader.demanded(at: now) == .dial)
        leader.connected(at: now)
        now = now + .milliseconds(5)
        _ = leader.ended(lost, hadServed: true, at: now, othersUp: true, random: 0.7)
        #expect(leader.wakesAt == now + .milliseconds(700))
        #expect(leader.demanded(at: now) == .none)
        #expect(leader.wakesAt == now + .milliseconds(25))
        #expect(leader.demanded(at: now + .milliseconds(20)) == .none)
        #expect(leader.wakesAt == now + .milliseconds(25), "the first call counts")
        _ = follower.start(at: start, random: 0.7)
        #expect(follower.demanded(at: start) == .none)
    }

    @Test("A server that takes us and cannot serve us is backed off from")
    func useless() {
        _ = leader.start(at: start, random: 0)
        var now = start
        for failure in 1...4 {
            leader.connected(at: now)
            now = now + .milliseconds(1)
            #expect(leader.ended(LimiterError(.readOnly, ""), hadServed: false, at: now, othersUp: false, random: 1) == .none)
            #expect(leader.failures == failure)
            now = leader.wakesAt ?? now
            #expect(leader.tick(at: now, othersUp: false, random: 1) == .dial)
        }
        #expect(now - start > .milliseconds(700))
    }

    @Test("A connection that keeps breaking is backed off from, and calls are told at once")
    func flapping() {
        _ = leader.start(at: start, random: 0)
        var now = start
        for failure in 1...5 {
            leader.connected(at: now)
            now = now + .milliseconds(10)
            #expect(leader.ended(lost.with(.unknown), hadServed: true, at: now, othersUp: false, random: 1) == .none)
            if case .refusing(_, let error) = leader.phase {
                #expect(failure > 1 && error.code == .connect && error.charge == .notCharged)
            } else {
                #expect(failure == 1)
            }
            now = leader.wakesAt ?? now
            #expect(leader.tick(at: now, othersUp: false, random: 1) == .dial)
        }
        #expect(now - start == .milliseconds(50 + 50 + 100 + 200 + 400 + 800))
    }

    @Test("A refused password is tried once a cap, whatever chance says")
    func authentication() {
        _ = leader.start(at: start, random: 0)
        _ = leader.ended(LimiterError(.authentication, ""), hadServed: false, at: start, othersUp: false, random: 0)
        #expect(leader.wakesAt == start + .seconds(1))
    }

    @Test("Nothing happens after the end")
    func stopped() {
        leader.stop()
        #expect(leader.start(at: start, random: 0) == .none)
        #expect(leader.demanded(at: start) == .none)
        #expect(leader.ended(lost, hadServed: true, at: start, othersUp: false, random: 0) == .none)
        #expect(leader.wakesAt == nil)
    }
}
