public import AsyncHTTPClient
internal import HTTPTypes
public import Logging
public import NIOCore
internal import NIOHTTP1
internal import Synchronization
internal import Tracing

extension PoliteClient {
    /// Makes a call: waits for its turn, sends it, and sends it again where that is allowed and of use.
    ///
    /// The time covers everything, the answer's body too: reading that ends with ``ClientError/Code/deadlineExceeded``. A request holds its
    /// slot until its body was read to the end or the response is let go.
    ///
    /// - Parameters:
    ///   - request: The request, as AsyncHTTPClient has it.
    ///   - timeout: The time for everything together: waiting, attempts, and the answer's body.
    ///   - priority: How urgent it is.
    ///   - replay: Whether its body may be sent more than once.
    ///   - logger: Handed on to AsyncHTTPClient.
    /// - Returns: The answer, whatever its status but 429 and 503.
    /// - Throws: ``ClientError``; a 429 or 503 that stays so is ``ClientError/Code/rateLimited`` or ``ClientError/Code/unavailable``.
    public func execute(
        _ request: HTTPClientRequest,
        timeout: TimeAmount,
        priority: CallPriority = .normal,
        replay: BodyReplay = .whenInMemory,
        logger: Logger? = nil
    ) async throws(ClientError) -> HTTPClientResponse {
        try await perform(
            Call(request, self, within: .nanoseconds(timeout.nanoseconds), priority: priority, replay: replay, logger: logger)
        )
    }

    /// Makes a call that has to end by a point in time.
    ///
    /// - Returns: The answer, whatever its status but 429 and 503.
    /// - Throws: ``ClientError`` as ``execute(_:timeout:priority:replay:logger:)`` does.
    public func execute(
        _ request: HTTPClientRequest,
        deadline: NIODeadline,
        priority: CallPriority = .normal,
        replay: BodyReplay = .whenInMemory,
        logger: Logger? = nil
    ) async throws(ClientError) -> HTTPClientResponse {
        try await execute(request, timeout: deadline - .now(), priority: priority, replay: replay, logger: logger)
    }
}

/// A call from its coming to its answer.
struct Call: Sendable {
    var request: HTTPClientRequest
    let key: String
    let route: String
    let priority: CallPriority
    let replay: Replay
    let deadline: Deadline
    let order: UInt64
    let logger: Logger?

    init(
        _ request: HTTPClientRequest,
        _ client: PoliteClient,
        within time: Duration,
        priority: CallPriority,
        replay: BodyReplay,
        logger: Logger?
    ) {
        self.request = request
        if priority != .normal { self.request.headers.replaceOrAdd(name: "X-Priority", value: priority.rawValue) }
        self.priority = priority
        self.logger = logger
        self.replay = Replay(request, body: replay)
        key = client.configuration.key(request)
        route = client.configuration.route(request)
        order = client.gate.makeNumber()
        deadline = Deadline(clock: client.clock, elapsed: client.elapsed, end: client.elapsed() + time)
    }
}

/// How one attempt went.
enum AttemptResult: Sendable {
    case answer(HTTPClientResponse, Reading)
    case failure(ClientError, Failure)
}

extension PoliteClient {
    /// Makes a call over the network.
    func exchange(_ call: Call) async throws(ClientError) -> HTTPClientResponse {
        var attempts = 0
        var last: ClientError?
        while true {
            let began = elapsed()
            let pass: Pass
            do { pass = try await takeTurn(call, wasSent: attempts > 0) } catch { throw error.following(last, attempts: attempts) }
            attempts += 1
            let attempt = Attempt(
                number: attempts,
                method: call.request.method.rawValue,
                route: call.route,
                priority: call.priority,
                waited: elapsed() - began
            )
            let failure: Failure
            switch await send(call, attempt, pass) {
            case .answer(let response, let reading):
                guard let refusal = Failure(reading) else { return hand(response, pass, call) }
                failure = refusal
                last = ClientError(reading, attempts: attempts)
                // Who was led on by a redirect has been served once.
                if response.history.count > 1, !call.replay.isIdempotent { throw ClientError(reading, attempts: attempts) }
            case .failure(let error, let kind):
                failure = kind
                last = error
                if error.code != .connection { throw error.counting(attempts) }
            }
            pass.end()
            guard let error = last else { continue }
            switch configuration.retries.verdict(failure, after: attempts, call.replay, left: call.deadline.left, random: random()) {
            case .end: throw error.counting(attempts)
            case .again(let time):
                delegate.willWait(attempt, for: time)
                telemetry.waits(attempt, for: time)
                do { try await gate.sleep(for: time) } catch { throw error.following(last, attempts: attempts) }
            }
        }
    }

    /// Waits for a call's turn, here and in the pace that is shared.
    private func takeTurn(_ call: Call, wasSent: Bool) async throws(ClientError) -> Pass {
        let ticket = Ticket(
            number: gate.makeNumber(),
            order: call.order,
            priority: call.priority,
            deadline: call.deadline.end,
            wasSent: wasSent
        )
        let pass = try await gate.pass(ticket, key: call.key, route: call.route)
        guard case .shared(let pace) = configuration.pacing.sharing else { return pass }
        switch try await turn(of: pace, for: call, pass) {
        case .granted(let whenEnded):
            pass.onEnd(whenEnded)
            return pass
        case .denied(let retryAfter):
            pass.withdraw()
            throw ClientError(.rateLimited, "the shared pace has no room for the request in time", retryAfter: retryAfter)
        }
    }

    /// Asks the shared pace, until the call's deadline at most; a turn that comes too late is given back.
    private func turn(of pace: any SharedPace, for call: Call, _ pass: Pass) async throws(ClientError) -> PaceTurn {
        final class Taken: Sendable { let turn = Mutex<PaceTurn?>(nil) }
        let taken = Taken()
        do {
            return try await call.deadline.run {
                let turn = try await pace.turn(waitingAtMost: call.deadline.left)
                taken.turn.withLock { $0 = turn }
                return turn
            }
        } catch {
            pass.withdraw()
            if case .granted(let whenEnded) = taken.turn.withLock({ $0 }) { whenEnded() }
            if Task.isCancelled { throw ClientError(.cancelled, "the task was cancelled while its call waited for the shared pace") }
            if let error = error as? ClientError, error.code == .deadlineExceeded {
                throw ClientError(.deadlineExceeded, "the call waited for the shared pace until its deadline")
            }
            throw ClientError(.sharedPace, "the shared pace could not be asked", cause: error)
        }
    }

    /// Hands an answer to the caller; its body holds the request's slot.
    private func hand(_ response: HTTPClientResponse, _ pass: Pass, _ call: Call) -> HTTPClientResponse {
        var response = response
        if call.request.method == .HEAD || response.status == .noContent || response.status == .notModified
            || response.headers["content-length"] == ["0"]
        {
            pass.end()
            return response
        }
        response.body = .stream(AnswerBody(source: response.body, pass: pass, deadline: call.deadline))
        return response
    }

    /// Sends a request once.
    private func send(_ call: Call, _ attempt: Attempt, _ pass: Pass) async -> AttemptResult {
        await telemetry.tracer.withAnySpan(ClientTelemetry.spanName, ofKind: .client) { span in
            telemetry.began(attempt, span)
            delegate.willSend(attempt)
            let result = await answer(to: call, pass)
            switch result {
            case .answer(_, let reading):
                telemetry.answered(attempt, reading, span)
                delegate.didEnd(
                    attempt,
                    .answered(status: reading.status, quotas: reading.quotas, retryAfter: reading.retryAfter)
                )
            case .failure(let error, _):
                telemetry.failed(attempt, error, span)
                delegate.didEnd(attempt, .failed(error))
            }
            return result
        }
    }

    private func answer(to call: Call, _ pass: Pass) async -> AttemptResult {
        let sent = wallTime()
        let response: HTTPClientResponse
        do {
            response = try await call.deadline.run { [transport] in
                try await transport.send(call.request, within: call.deadline.left, logger: call.logger)
            }
        } catch {
            return failure(error)
        }
        let received = wallTime()
        let body = Reading.needsBody(status: Int(response.status.code)) ? await hints(in: response.body, call.deadline) : []
        let reading = serverClocks.withLock { clocks in
            clocks.read(call.key) { clock in
                Reading(
                    status: Int(response.status.code),
                    HTTPFields(response.headers),
                    body: body,
                    times: AnswerTimes(sent: sent, received: received),
                    clock: &clock
                )
            }
        }
        pass.learn(reading)
        return .answer(response, reading)
    }

    /// The beginning of a refusal's body, as far as it comes soon.
    private func hints(in body: HTTPClientResponse.Body, _ deadline: Deadline) async -> [UInt8] {
        let bytes = try? await deadline.run(atMost: .seconds(1)) {
            try await body.collect(upTo: BodyHints.mostBytes)
        }
        return bytes.map { Array($0.readableBytesView) } ?? []
    }

    private func failure(_ error: any Error) -> AttemptResult {
        if Task.isCancelled || error is CancellationError {
            return .failure(ClientError(.cancelled, "the task was cancelled while its call was under way", cause: error), .invalid)
        }
        if let error = error as? ClientError { return .failure(error, .invalid) }
        if let error = error as? HTTPClientError, error == .deadlineExceeded { return .failure(Deadline.error, .invalid) }
        switch Failure(error) {
        case .invalid: return .failure(ClientError(.invalidRequest, "the request cannot be sent", cause: error), .invalid)
        case let kind: return .failure(ClientError(.connection, "no connection could be made, or it broke", cause: error), kind)
        }
    }
}
