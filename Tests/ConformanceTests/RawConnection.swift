#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif
import NIOCore

@testable import HeadgateRedis

/// A blocking connection to a unix socket that sends many commands at once: the oracle's pace must not be the network's.
struct RawConnection: ~Copyable {
    private let descriptor: CInt
    private var reader = ReplyReader()
    private var unread = ByteBuffer()

    struct Failure: Error { var what: String }

    init(path: String) throws {
        descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard bytes.count < capacity else { throw Failure(what: "the socket's path is too long") }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw Failure(what: "connect failed with errno \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends commands and returns their replies in order.
    mutating func exchange(_ frames: [[UInt8]]) throws -> [RedisReply] {
        let all = Array(frames.joined())
        var sent = 0
        while sent < all.count {
            let count = unsafe all.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress?.advanced(by: sent), all.count - sent) }
            guard count > 0 else { throw Failure(what: "write failed with errno \(errno)") }
            sent += count
        }
        var replies: [RedisReply] = []
        while replies.count < frames.count {
            if let reply = try reader.next(from: &unread) {
                replies.append(reply)
                continue
            }
            unread.discardReadBytes()
            let descriptor = descriptor
            let count = unsafe unread.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 * 1024) {
                max(0, unsafe read(descriptor, $0.baseAddress, $0.count))
            }
            guard count > 0 else { throw Failure(what: "the server went away") }
        }
        return replies
    }

    /// Sends one command of texts.
    mutating func command(_ arguments: String...) throws -> RedisValue {
        try exchange([CommandArguments(arguments).framed()])[0].value
    }
}
