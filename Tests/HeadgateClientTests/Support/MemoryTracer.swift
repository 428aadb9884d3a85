import Synchronization
import Tracing

/// A tracer whose spans stay in memory, in the order of their beginning.
final class MemoryTracer: Tracer {
    private let begun = Mutex<[MemorySpan]>([])

    var spans: [MemorySpan] { begun.withLock { $0 } }

    func startSpan<Instant: TracerInstant>(
        _ operationName: String,
        context: @autoclosure () -> ServiceContext,
        ofKind kind: SpanKind,
        at instant: @autoclosure () -> Instant,
        function: String,
        file fileID: String,
        line: UInt
    ) -> MemorySpan {
        let span = MemorySpan(operationName, kind: kind, context: context())
        begun.withLock { $0.append(span) }
        return span
    }

    func forceFlush() {}
    func extract<Carrier, Extract: Extractor>(_ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract)
    where Extract.Carrier == Carrier {}
    func inject<Carrier, Inject: Injector>(_ context: ServiceContext, into carrier: inout Carrier, using injector: Inject)
    where Inject.Carrier == Carrier {}
}

/// A span that remembers what it was told.
final class MemorySpan: Tracing.Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var status: SpanStatus?
        var errors: [any Error] = []
        var ends = 0
    }

    let kind: SpanKind
    let context: ServiceContext
    private let state: Mutex<State>

    init(_ name: String, kind: SpanKind, context: ServiceContext) {
        self.kind = kind
        self.context = context
        state = Mutex(State(name: name))
    }

    var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }
    var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }
    var isRecording: Bool { ends == 0 }
    var status: SpanStatus? { state.withLock { $0.status } }
    var errors: [any Error] { state.withLock { $0.errors } }
    var ends: Int { state.withLock { $0.ends } }

    /// The attributes as `name=value`, sorted.
    var told: [String] {
        var told: [String] = []
        attributes.forEach { name, value in
            switch value {
            case .int32(let number): told.append("\(name)=\(number)")
            case .int64(let number): told.append("\(name)=\(number)")
            case .string(let text): told.append("\(name)=\(text)")
            default: told.append("\(name)=\(value)")
            }
        }
        return told.sorted()
    }

    func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }
    func addEvent(_ event: SpanEvent) {}
    func addLink(_ link: SpanLink) {}
    func recordError<Instant: TracerInstant>(_ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant) {
        state.withLock { $0.errors.append(error) }
    }
    func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) { state.withLock { $0.ends += 1 } }
}
