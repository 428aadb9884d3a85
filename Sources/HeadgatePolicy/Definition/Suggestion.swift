/// Help for those who mistype a name.
package enum Suggestion {
    /// " (did you mean 'x'?)" when a known name is close to what was written, else nothing.
    package static func hint(for word: String, among known: some Sequence<String>) -> String {
        let best = known.map { (name: $0, distance: distance(word.lowercased(), $0.lowercased())) }.min { $0.distance < $1.distance }
        guard let best, best.distance <= max(1, min(word.count, best.name.count) / 3) else { return "" }
        return " (did you mean '\(best.name)'?)"
    }

    /// The names in quotes and in order, as a list for people.
    package static func list(_ names: some Sequence<String>) -> String {
        let names = names.map { "'\($0)'" }
        return names.isEmpty ? "none" : names.joined(separator: ", ")
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(64))
        let right = Array(right.prefix(64))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in left.indices {
            var row = [i + 1]
            for j in right.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            beforeLast = last
            last = row
        }
        return last[right.count]
    }
}
