public import Headgate

extension LimitOverride {
    /// Reads `500/hour`, `20 per 15 minutes`, `unlimited`, `5 slots`, or `x2` and `x1.5`, which multiply the tier's limit.
    ///
    /// - Throws: ``LimiterError/Code/invalidLimit`` when the text is none of these.
    public init(text: String) throws(LimiterError) {
        let words = text.split(separator: " ")
        if words.count == 2, words[1] == "slots" || words[1] == "slot", let slots = Int64(digits: words[0]) {
            self = .slots(slots)
            return
        }
        if text.hasPrefix("x") {
            self = .multiplied(try Multiplier(String(text.dropFirst())))
            return
        }
        switch try Rate(text) {
        case .unlimited:
            self = .unlimited
        case .limited(let quota):
            guard let window = quota.window, quota.burst == nil else {
                throw LimiterError(.invalidLimit, "expected units and a window such as 500/hour, found '\(text)'")
            }
            self = .units(quota.units, per: window)
        case .custom:
            throw LimiterError(.invalidLimit, "expected a rate such as 500/hour, or unlimited, found 'custom'")
        }
    }

    /// The override as one writes it.
    public var text: String {
        switch self {
        case .units(let units, let window): Rate.units(units, per: window).description
        case .slots(let slots): "\(slots) slots"
        case .unlimited: "unlimited"
        case .multiplied(let factor): "x\(factor)"
        }
    }
}
