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
        if let credentials = configuration.credentials?.current {
            let user = credentials.user.map { [$0] } ?? []
            try add(.authenticate, ["AUTH"] + user + [credentials.password])
        }
        if configuration.database != 0 {
            try add(.select, ["SELECT", String(configuration.database)])
        }
        if !configuration.clientName.isEmpty {
            try add(.setName, ["CLIENT", "SETNAME", configuration.clientName])
        }
        commands.append(.loadScript)
        frames.append(settings.script.loading)
    }

    private mutating func add(_ command: ConnectionMachine.GreetingCommand, _ arguments: [String]) throws(LimiterError) {
        commands.append(command)
        frames.append(try CommandArguments(arguments).framed())
    }
}
