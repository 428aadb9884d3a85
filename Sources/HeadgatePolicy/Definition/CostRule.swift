public import Headgate

/// How many units requests of an endpoint take.
public enum CostRule: Sendable, Hashable {
    /// Always so many.
    case units(Int64)
    /// What a request's header field says, set by the service that knows it.
    case header(HeaderCost)

    /// A cost that a header field gives.
    public struct HeaderCost: Sendable, Hashable {
        /// The field's name.
        public var name: String
        /// The cost of requests without the field.
        public var fallback: Int64
        /// The most that it may say; more is refused.
        public var most: Int64

        /// Creates a cost.
        public init(_ name: String, fallback: Int64 = 1, most: Int64 = 1_000) {
            self.name = name
            self.fallback = fallback
            self.most = most
        }
    }

    /// The cost of a request that brings no header field.
    public var fallback: Int64 {
        switch self {
        case .units(let units): units
        case .header(let header): header.fallback
        }
    }

    /// The cost of a request whose field has these values.
    ///
    /// - Parameters:
    ///   - values: The field's values; ignored where the cost is a number.
    ///   - trust: Whether whoever set the field is believed: anybody may make a request dearer, and only the service cheaper.
    /// - Returns: The units.
    /// - Throws: ``LimiterError/Code/badRequest`` naming the field.
    public func units(of values: [String], trust: Trust) throws(LimiterError) -> Int64 {
        guard case .header(let header) = self, !values.isEmpty else { return fallback }
        guard values.count == 1, let units = Int64(digits: values[0]), (1...header.most).contains(units) else {
            throw LimiterError(.badRequest, "\(header.name) is no cost; expected one whole number from 1 to \(header.most)")
        }
        return trust == .service ? units : max(units, header.fallback)
    }

    /// Who set a request's header fields.
    public enum Trust: Sendable, Hashable {
        /// The service, or a proxy that removes what clients send.
        case service
        /// Perhaps the client.
        case client
    }
}
