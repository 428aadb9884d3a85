/// A bounded dictionary: when it is full, the half that was not looked at lately goes.
struct HalvingTable<Value: Sendable>: Sendable {
    private var young: [String: Value] = [:]
    private var old: [String: Value] = [:]
    private let most: Int

    init(most: Int) { self.most = most }

    var count: Int { young.count + old.count }

    /// The value of a key, which counts as looked at.
    subscript(key: String) -> Value? {
        mutating get {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            insert(value, key)
            return value
        }
        set {
            old[key] = nil
            guard let newValue else { return young[key] = nil }
            insert(newValue, key)
        }
    }

    mutating func removeAll() { (young, old) = ([:], [:]) }

    private mutating func insert(_ value: Value, _ key: String) {
        if young[key] == nil, young.count >= most / 2 { (old, young) = (young, [:]) }
        young[key] = value
    }
}
