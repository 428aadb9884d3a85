/// Decisions by their shapes: what they have in common, which is all but their keys.
///
/// A call of the script says each shape once.
struct ShapeRuns<Shape: Equatable> {
    /// The different shapes, in the order in which they came.
    private(set) var shapes: [Shape] = []
    /// Which shape decisions that follow each other have, by its index, and how many those are.
    private(set) var runs: [(shape: Int, times: Int)] = []

    /// Adds the next decision.
    mutating func append(_ shape: Shape) {
        if let last = runs.last, shapes[last.shape] == shape {
            runs[runs.count - 1].times += 1
            return
        }
        let index = shapes.firstIndex(of: shape) ?? shapes.count
        if index == shapes.count { shapes.append(shape) }
        runs.append((index, 1))
    }
}
