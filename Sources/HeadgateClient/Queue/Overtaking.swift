/// Which priority goes next: the most urgent, but none is passed over for ever.
///
/// After so many calls in a row that were sent before less urgent ones that could have been, one of these goes. So each priority that waits
/// has a share of what is sent, however much more urgent work there is, and urgent work is held up by one call in so many at most.
struct Overtaking: Sendable {
    private let most: Int
    /// How often each priority was passed over, the most urgent first.
    private var passed = CallPriority.allCases.map { _ in 0 }

    init(atMost most: Int) { self.most = max(1, most) }

    /// The priority that goes next of those that could.
    func next(of waiting: [CallPriority]) -> CallPriority? {
        waiting.filter { passed[$0.rank] >= most }.min() ?? waiting.min()
    }

    /// One goes, and the others that could have gone wait on.
    mutating func goes(_ priority: CallPriority, of waiting: [CallPriority]) {
        for other in CallPriority.allCases {
            if other > priority, waiting.contains(other) {
                passed[other.rank] = min(passed[other.rank] + 1, most)
            } else if other == priority || !waiting.contains(other) {
                passed[other.rank] = 0
            }
        }
    }
}
