internal import NIOCore
internal import NIOPosix
internal import Synchronization

#if canImport(Darwin)
internal import Darwin
#elseif canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#endif

/// Looks up host names on threads of its own: the system's resolver blocks, and for many seconds when no server answers it.
///
/// Whoever asks while a look-up of the same name is young shares it. At most four run at once, in all stores of the process.
final class HostResolver: Sendable {
    /// The one of this process.
    static let shared = HostResolver()

    /// After so long another look-up of the same name may begin: the network may be back, and the old one not know it.
    private static let youth: TimeAmount = .seconds(1)
    private static let threads = 4

    private struct Lookup {
        let began: NIODeadline
        let addresses: EventLoopFuture<[SocketAddress]>
    }

    private let pool: NIOThreadPool
    private let lookups = Mutex<[String: [Lookup]]>([:])

    private init() {
        pool = NIOThreadPool(numberOfThreads: HostResolver.threads)
        pool.start()
    }

    /// All addresses of a host, in the resolver's order.
    func addresses(of host: String, port: Int, on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        let now = NIODeadline.now()
        let (running, promise) = lookups.withLock { lookups -> (EventLoopFuture<[SocketAddress]>?, EventLoopPromise<[SocketAddress]>?) in
            let count = lookups.values.lazy.map(\.count).reduce(0, +)
            if let youngest = lookups[host]?.last, now - youngest.began < HostResolver.youth || count >= HostResolver.threads {
                return (youngest.addresses, nil)
            }
            let promise = eventLoop.makePromise(of: [SocketAddress].self)
            lookups[host, default: []].append(Lookup(began: now, addresses: promise.futureResult))
            return (nil, promise)
        }
        guard let promise else { return (running ?? eventLoop.makeSucceededFuture([])).hop(to: eventLoop).map { $0.with(port: port) } }
        pool.submit { _ in
            let result = Result { try HostResolver.lookUp(host) }
            self.lookups.withLock { lookups in
                lookups[host]?.removeAll { $0.began == now }
                if lookups[host]?.isEmpty == true { lookups[host] = nil }
            }
            promise.completeWith(result)
        }
        return promise.futureResult.map { $0.with(port: port) }
    }

    /// Runs work that may block, such as reading a file.
    func run<Value: Sendable>(
        on eventLoop: any EventLoop,
        _ work: @escaping @Sendable () throws -> Value
    ) -> EventLoopFuture<Value> {
        pool.runIfActive(eventLoop: eventLoop, work)
    }

    private static func lookUp(_ host: String) throws -> [SocketAddress] {
        var hints = unsafe addrinfo()
        #if canImport(Glibc)
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        #else
        unsafe hints.ai_socktype = SOCK_STREAM
        #endif
        var list: UnsafeMutablePointer<addrinfo>?
        // POSIX: on success `list` is a list that its receiver frees once; on failure it is not set.
        let status = unsafe getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            throw NameUnknown(reason: unsafe String(cString: gai_strerror(status)))
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            // POSIX: ai_addr is a socket address of ai_family, as long as the list.
            switch unsafe entry.pointee.ai_family {
            case AF_INET:
                let address = unsafe entry.pointee.ai_addr.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { unsafe $0.pointee }
                addresses.append(SocketAddress(address, host: host))
            case AF_INET6:
                let address = unsafe entry.pointee.ai_addr.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { unsafe $0.pointee }
                addresses.append(SocketAddress(address, host: host))
            default:
                break
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses
    }
}

/// A name that the system's resolver has no addresses for.
struct NameUnknown: Error {
    let reason: String
}

extension [SocketAddress] {
    fileprivate func with(port: Int) -> [SocketAddress] {
        map { address in
            var address = address
            address.port = port
            return address
        }
    }
}

/// Addresses that were looked up before, as a bootstrap asks for them: it tries them all.
struct KnownAddresses: Resolver, Sendable {
    let addresses: [SocketAddress]
    let eventLoop: any EventLoop

    func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet })
    }

    func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        eventLoop.makeSucceededFuture(addresses.filter { $0.protocol == .inet6 })
    }

    func cancelQueries() {}
}
