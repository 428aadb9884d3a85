internal import Headgate

/// Reads a request's target once, byte by byte.
struct PathReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ target: String) {
        bytes = Array(target.utf8)
    }

    /// The canonical path of the target.
    func canonical() throws(LimiterError) -> String {
        var reader = self
        if bytes == [UInt8(ascii: "*")] { return "*" }
        try reader.skipAuthority()
        let segments = try reader.segments()
        guard !segments.isEmpty else { return "/" }
        var path: [UInt8] = []
        for segment in segments {
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: segment)
        }
        // Raw characters that must be escaped grow to three bytes each.
        guard path.count <= CanonicalPath.longest else { throw tooLong }
        return String(decoding: path, as: UTF8.self)
    }

    /// Steps over the `http://host` of an absolute-form target, to its path.
    private mutating func skipAuthority() throws(LimiterError) {
        for scheme in ["http://", "https://"] where starts(with: scheme) {
            position = scheme.utf8.count
            let start = position
            while position < bytes.count, !isEnd(bytes[position]), bytes[position] != UInt8(ascii: "/") {
                try check(bytes[position])
                position += 1
            }
            guard position > start else { throw invalid("a target in absolute form has no host", at: start) }
            return
        }
        guard bytes.first == UInt8(ascii: "/") else { throw invalid("a path begins with '/'", at: 0) }
    }

    private func starts(with scheme: String) -> Bool {
        bytes.count >= scheme.utf8.count && zip(bytes, scheme.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    private func isEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#") }

    /// The segments up to query and fragment, decoded, without parameters, empty and dot segments.
    private mutating func segments() throws(LimiterError) -> [[UInt8]] {
        var segments: [[UInt8]] = []
        var segment: [UInt8] = []
        var inParameters = false
        let start = position
        while position < bytes.count, !isEnd(bytes[position]) {
            guard position - start < CanonicalPath.longest else { throw tooLong }
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "/"):
                close(&segment, into: &segments)
                inParameters = false
                position += 1
            case UInt8(ascii: ";"):
                inParameters = true
                position += 1
            default:
                let read = try character()
                if !inParameters { segment += read }
            }
        }
        close(&segment, into: &segments)
        return segments
    }

    private func close(_ segment: inout [UInt8], into segments: inout [[UInt8]]) {
        if segment == Array("..".utf8) {
            _ = segments.popLast()
        } else if !segment.isEmpty, segment != [UInt8(ascii: ".")] {
            segments.append(segment)
        }
        segment = []
    }

    /// One character in its canonical spelling.
    private mutating func character() throws(LimiterError) -> [UInt8] {
        let start = position
        let byte = bytes[start]
        try check(byte)
        position += 1
        guard byte == UInt8(ascii: "%") else { return ByteClass.isPlain(byte) ? [byte] : ByteClass.escape(byte) }
        guard start + 2 < bytes.count, let high = ByteClass.hexValue(bytes[start + 1]), let low = ByteClass.hexValue(bytes[start + 2])
        else {
            throw invalid("'%' is not followed by two hex digits", at: start)
        }
        position += 2
        let value = high << 4 | low
        switch value {
        case 0: throw invalid("a path holds an encoded NUL", at: start)
        case UInt8(ascii: "/"): throw invalid("a path holds an encoded slash", at: start)
        case UInt8(ascii: "\\"): throw invalid("a path holds an encoded backslash", at: start)
        default: return ByteClass.isUnreserved(value) ? [value] : ByteClass.escape(value)
        }
    }

    /// Refuses the bytes that may not stand in a request's target as they are.
    private func check(_ byte: UInt8) throws(LimiterError) {
        switch byte {
        case UInt8(ascii: "\\"): throw invalid("a path holds a backslash", at: position)
        case 0x00...0x1F, 0x7F: throw invalid("a path holds a control character", at: position)
        case UInt8(ascii: " "): throw invalid("a path holds a blank; expected %20", at: position)
        case 0x80...0xFF: throw invalid("a path holds a byte outside ASCII; expected its %-escape", at: position)
        default: break
        }
    }

    private func invalid(_ what: String, at position: Int) -> LimiterError {
        LimiterError(.invalidPath, "\(what) (at byte \(position + 1))")
    }

    private var tooLong: LimiterError {
        LimiterError(.invalidPath, "a path is longer than \(CanonicalPath.longest) bytes")
    }
}
