package import Headgate

extension LimiterError.Code {
    /// The code as HTTP spells it, `unknown_tier` for instance.
    package var snakeCase: String {
        description.reduce(into: "") { text, character in
            text += character.isUppercase ? "_" + character.lowercased() : String(character)
        }
    }
}
