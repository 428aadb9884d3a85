/// Exact integer arithmetic that the scripts repeat in Lua's 53 bits.
package enum Arithmetic {
    /// The largest number that a Lua number holds exactly.
    package static let largestExact: Int64 = 1 << 53

    /// The quotient and remainder of `x * y / divisor` for non-negative operands, exact for any product.
    ///
    /// The quotient must fit in `Int64`; ``Limit``'s validation sees to that.
    package static func scale(_ x: Int64, by y: Int64, over divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let product = UInt64(x).multipliedFullWidth(by: UInt64(y))
        let (quotient, remainder) = UInt64(divisor).dividingFullWidth(product)
        return (Int64(quotient), Int64(remainder))
    }

    /// `x * y / divisor`, rounded up.
    package static func scaleRoundingUp(_ x: Int64, by y: Int64, over divisor: Int64) -> Int64 {
        let (quotient, remainder) = scale(x, by: y, over: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// The greatest common divisor of two positive numbers.
    package static func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
