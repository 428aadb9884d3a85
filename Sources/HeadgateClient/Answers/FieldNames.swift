internal import HTTPTypes

extension HTTPField.Name {
    // Each literal is a token (RFC 9110 5.6.2), so the initialiser does not return nil.
    // swift-format-ignore: NeverForceUnwrap
    static let retryAfterMilliseconds = Self("retry-after-ms")!
    // swift-format-ignore: NeverForceUnwrap
    static let rateLimit = Self("RateLimit")!
    // swift-format-ignore: NeverForceUnwrap
    static let rateLimitPolicy = Self("RateLimit-Policy")!
    // swift-format-ignore: NeverForceUnwrap
    static let rateLimitLimit = Self("RateLimit-Limit")!
    // swift-format-ignore: NeverForceUnwrap
    static let rateLimitRemaining = Self("RateLimit-Remaining")!
    // swift-format-ignore: NeverForceUnwrap
    static let rateLimitReset = Self("RateLimit-Reset")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRateLimitLimit = Self("X-RateLimit-Limit")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRateLimitRemaining = Self("X-RateLimit-Remaining")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRateLimitReset = Self("X-RateLimit-Reset")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRateLimitWindow = Self("X-RateLimit-Window")!
    // swift-format-ignore: NeverForceUnwrap
    static let xRateLimitResource = Self("X-RateLimit-Resource")!
}
