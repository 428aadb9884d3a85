/// Records of one kind as they were read, and those that were not there: bounded, and forgotten by age and by change.
///
/// A pure value; the shell locks it. Absent ones are kept apart, so that made-up names do not crowd out real records.
struct RecordCache<Record: Sendable>: Sendable {
    /// A record, or that there is none.
    struct Entry: Sendable {
        var record: Record?
        var readAt: ContinuousClock.Instant
        /// Somebody is reading it anew because of its age.
        var isBeingRefreshed = false
    }

    private var present: HalvingTable<Entry>
    private var absent: HalvingTable<Entry>
    private let mostAbsent: Int
    /// Rises with every change that is heard of: what was read before may be stale.
    private(set) var generation = 0

    /// An empty cache that keeps so many records, and so many absent ones; 0 of these for none.
    init(most: Int, mostAbsent: Int) {
        present = HalvingTable(most: most)
        absent = HalvingTable(most: mostAbsent)
        self.mostAbsent = mostAbsent
    }

    var count: Int { present.count + absent.count }

    /// What is known of an id.
    mutating func entry(_ id: String) -> Entry? { present[id] ?? absent[id] }

    /// Keeps what was read, unless a change was heard of meanwhile.
    mutating func store(_ record: Record?, _ id: String, readAt: ContinuousClock.Instant, generation: Int) {
        forgetOne(id)
        guard generation == self.generation else { return }
        let entry = Entry(record: record, readAt: readAt)
        if record != nil {
            present[id] = entry
        } else if mostAbsent > 0 {
            absent[id] = entry
        }
    }

    /// Claims the refreshing of an entry; false when somebody is at it.
    mutating func claim(_ id: String) -> Bool {
        guard let entry = entry(id), !entry.isBeingRefreshed else { return false }
        mark(id, isBeingRefreshed: true)
        return true
    }

    /// Lets others refresh an entry.
    mutating func unclaim(_ id: String) { mark(id, isBeingRefreshed: false) }

    /// Forgets records that were changed, or everything when the list is not complete.
    mutating func forget(_ ids: [String], complete: Bool) {
        guard !ids.isEmpty || !complete else { return }
        generation += 1
        if complete {
            for id in ids { forgetOne(id) }
        } else {
            present.removeAll()
            absent.removeAll()
        }
    }

    private mutating func forgetOne(_ id: String) {
        present[id] = nil
        absent[id] = nil
    }

    private mutating func mark(_ id: String, isBeingRefreshed: Bool) {
        guard var entry = entry(id) else { return }
        entry.isBeingRefreshed = isBeingRefreshed
        if entry.record == nil { absent[id] = entry } else { present[id] = entry }
    }
}
