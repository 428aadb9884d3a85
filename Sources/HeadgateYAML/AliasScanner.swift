/// Finds anchors and aliases in YAML before it is parsed.
///
/// The parser expands aliases as it goes, and a few nested ones make a document that no memory holds, so they have to be
/// found before. Policies do not need them.
struct AliasScanner {
    private let text: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    private var column = 1
    private var flowDepth = 0
    private var closedFlow = false

    init(_ yaml: String) { text = Array(yaml.unicodeScalars) }

    /// The first `&anchor` or `*alias`, or nil.
    mutating func first() -> InvalidPolicyFile.Position? {
        var atToken = true
        while let scalar = peek() {
            switch scalar {
            case "\n", "\r":
                atToken = true
                advance()
            case " ", "\t": advance()
            case "#" where isAfterBlank: skip { $0 == "\n" || $0 == "\r" }
            case "\"" where atToken, "'" where atToken:
                skipQuoted(scalar)
                // In flow style a colon may follow a quote without a blank.
                atToken = false
                closedFlow = true
                continue
            case "&" where atToken && isName(peek(1)), "*" where atToken && isName(peek(1)):
                return InvalidPolicyFile.Position(line: line, column: column)
            case "!" where atToken: skip { $0 == " " || $0 == "\n" || $0 == "\r" }
            case "[" where atToken || flowDepth > 0, "{" where atToken || flowDepth > 0:
                flowDepth += 1
                atToken = true
                advance()
            case "]" where flowDepth > 0, "}" where flowDepth > 0:
                flowDepth -= 1
                atToken = false
                closedFlow = true
                advance()
                continue
            case "," where flowDepth > 0:
                atToken = true
                advance()
            case "-" where atToken && isBlank(peek(1)), "?" where atToken && isBlank(peek(1)): advance()
            case ":" where isBlank(peek(1)) || (flowDepth > 0 && closedFlow):
                atToken = true
                advance()
            default:
                atToken = false
                advance()
            }
            closedFlow = false
        }
        return nil
    }

    private func peek(_ distance: Int = 0) -> Unicode.Scalar? {
        index + distance < text.count ? text[index + distance] : nil
    }

    private var isAfterBlank: Bool { index == 0 || isBlank(text[index - 1]) }

    private func isBlank(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return true }
        return scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
    }

    private func isName(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-"
    }

    private mutating func advance() {
        // As libYAML counts: a CR that belongs to a CRLF ends no line of its own.
        if text[index] == "\n" || (text[index] == "\r" && peek(1) != "\n") {
            line += 1
            column = 1
        } else {
            column += 1
        }
        index += 1
    }

    private mutating func skip(until isEnd: (Unicode.Scalar) -> Bool) {
        while let scalar = peek(), !isEnd(scalar) { advance() }
    }

    private mutating func skipQuoted(_ quote: Unicode.Scalar) {
        advance()
        while let scalar = peek() {
            advance()
            if scalar == "\\", quote == "\"", peek() != nil {
                advance()
            } else if scalar == quote {
                // A doubled single quote stands for one.
                guard quote == "'", peek() == "'" else { return }
                advance()
            }
        }
    }
}
