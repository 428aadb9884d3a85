/// Random texts for ids and secrets.
enum RandomText {
    private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    /// A secret of 43 letters and digits: 256 random bits.
    static func secret() -> String { text(of: 43, from: alphabet[...]) }

    /// An id of a mark and 15 small letters and digits: 77 random bits.
    static func id(_ mark: String) -> String { mark + text(of: 15, from: alphabet[..<36]) }

    private static func text(of length: Int, from alphabet: ArraySlice<UInt8>) -> String {
        var generator = SystemRandomNumberGenerator()
        return String(decoding: (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }, as: UTF8.self)
    }
}
