internal import Foundation

/// A pipe that no child inherits, other than by being given an end as its standard input or output.
///
/// `Foundation.Pipe` does not set the flag: a child that another thread starts would hold a copy of the writing end, and
/// the reader would not see the end of the stream when this process dies.
struct CloseOnExecPipe: Sendable {
    let reading: FileHandle
    let writing: FileHandle

    init() throws(RedisServerError) {
        var ends: [Int32] = [-1, -1]
        // socketpair(2) writes exactly two descriptors into the array. Unlike pipe(2) it sets the flag in the same step
        // on Linux, so no child that another thread starts at this moment can slip in between.
        #if os(Linux)
        let status = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        #else
        let status = unsafe socketpair(AF_UNIX, SOCK_STREAM, 0, &ends)
        #endif
        guard status == 0 else { throw RedisServerError(.failed, "no pipe to redis-server: errno \(errno)") }
        #if !os(Linux)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #endif
        reading = FileHandle(fileDescriptor: ends[0], closeOnDealloc: true)
        writing = FileHandle(fileDescriptor: ends[1], closeOnDealloc: true)
    }
}
