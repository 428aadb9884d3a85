internal import Headgate

/// What a connection says before any call, all in one round trip.
struct Greeting {
    /// The commands in order.
    private(set) var commands: [ConnectionMachine.GreetingCommand] = []
    /// Their bytes.
    private(set) var frames: [[UInt8]] = []

    /// The greeting with the credentials of this moment.
    init(_ settings: LaneSettings) throws(LimiterError) {
        let configuration = settings.configuration
        if let credentials = configuration.credentials {
            guard let pair = credentials.current else {
                throw LimiterError(.authentication, "the file with the password for Redis cannot be read, or is empty")
            }
            try add(.authenticate, pair.command)
        }
        if configuration.database != 0 {
            try add(.select, ["SELECT", String(configuration.database)])
        }
        if !configuration.clientName.isEmpty {
            try add(.setName, ["CLIENT", "SETNAME", configuration.clientName])
        }
        if settings.isMasterOnly { try add(.checkRole, ["ROLE"]) }
        if let script = settings.script {
            commands.append(.loadScript)
            frames.append(script.loading)
        }
    }

    private mutating func add(_ command: ConnectionMachine.GreetingCommand, _ arguments: [String]) throws(LimiterError) {
        commands.append(command)
        frames.append(try CommandArguments(arguments).framed())
    }
}
