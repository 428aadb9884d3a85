public import Headgate

/// One step in the making of a limit, in the order in which they are taken.
public enum LimitStep: Sendable, Hashable, CustomStringConvertible {
    /// The tier gives this.
    case tier(String, Rate)
    /// The endpoint rule gives this, before any multiplier.
    case endpoint(Rate)
    /// The additional rule gives this, counted so.
    case additional(Rate, LimitRule.Scope)
    /// The tier gives so many slots.
    case slots(String, ConcurrencyRule)
    /// The account has this in place of it.
    case accountOverride(LimitOverride)
    /// A permission has this in place of it.
    case permission(String, Rate)
    /// A permission multiplies it.
    case permissionMultiplier(String, Multiplier)
    /// The tier multiplies its endpoint limits.
    case endpointMultiplier(String, Multiplier)
    /// The account's boost multiplies it.
    case boost(Multiplier)

    /// The step in one line.
    public var description: String {
        switch self {
        case .tier(let tier, let rate): "tier '\(tier)' gives \(rate)"
        case .endpoint(let rate): "the endpoint rule gives \(rate)"
        case .additional(let rate, let scope): "the additional rule gives \(rate) per \(scope.rawValue)"
        case .slots(let tier, let rule): "tier '\(tier)' gives \(Self.text(rule))"
        case .accountOverride(.units(let units, let window)): "the account's own limit is \(Rate.units(units, per: window))"
        case .accountOverride(.slots(let slots)): "the account's own limit is \(slots) at once"
        case .accountOverride(.unlimited): "the account's own limit is unlimited"
        case .accountOverride(.multiplied(let factor)): "the account's own factor multiplies by \(factor)"
        case .permission(let name, let rate): "permission '\(name)' makes it \(rate)"
        case .permissionMultiplier(let name, let factor): "permission '\(name)' multiplies by \(factor)"
        case .endpointMultiplier(let tier, let factor): "tier '\(tier)' multiplies endpoint limits by \(factor)"
        case .boost(let factor): "the account's boost multiplies by \(factor)"
        }
    }

    private static func text(_ rule: ConcurrencyRule) -> String {
        switch rule {
        case .none: "no limit of its own"
        case .slots(let slots): "\(slots.count) at once, leases of \(slots.terms.lease.readable)"
        case .custom: "custom"
        case .unlimited: "unlimited"
        }
    }
}
