import Foundation
import Testing

/// Waits until something holds, within a second unless said otherwise.
func wait(
    within patience: Duration = .seconds(1),
    _ location: SourceLocation = #_sourceLocation,
    until holds: () -> Bool
) async throws {
    let end = ContinuousClock.now + patience
    while !holds() {
        guard ContinuousClock.now < end else {
            Issue.record("waited in vain", sourceLocation: location)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// The memory of this process that is in use.
func residentBytes() -> Int {
    let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4_096 : 0
}
