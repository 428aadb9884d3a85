public import ArgumentParser
public import HeadgateRedis

/// `headgate redis-acl`.
struct RedisACLCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redis-acl",
        abstract: "Print the Redis user that has the rights which are needed, and no others.",
        discussion: """
            Prints one line for redis-cli. Write the password in the place of PASSWORD, or its SHA-256 as #HEX. Redis is not asked.

            EXAMPLES
              headgate redis-acl
              headgate redis-acl --for limiter --user orders --prefix hg
            """
    )

    @Option(name: .customLong("for"), help: "server: headgate serve and its commands; limiter: services that link the library.")
    var purpose = RedisAccess.Purpose.server

    @Option(help: "The user's name.")
    var user = "headgate"

    @Option(help: "What every key begins with.")
    var prefix = "hg"

    func validate() throws {
        guard !user.isEmpty, user.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ValidationError("a Redis user's name is printable ASCII without blanks")
        }
    }

    func run() throws {
        print(try RedisAccess(for: purpose, keyPrefix: prefix).setUser(user))
    }
}

extension RedisAccess.Purpose: ExpressibleByArgument {}
