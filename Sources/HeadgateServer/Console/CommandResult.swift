/// What a command prints, and how it ends.
package struct CommandResult: Sendable, Equatable {
    /// What goes to the standard output.
    package var text: String
    /// How it ends.
    package var ending: Ending

    package init(text: String, ending: Ending) {
        self.text = text
        self.ending = ending
    }

    /// How a command ends; the raw value is its exit code.
    package enum Ending: Int32, Sendable, CaseIterable {
        /// The request is allowed, or the work is done.
        case done = 0
        /// A limit denies the request.
        case denied = 1
        /// The command line, the settings, the policy or the request are wrong.
        case usage = 2
        /// Redis gave no answer.
        case backend = 3
    }
}

/// Why a command gave no result.
package struct CommandError: Error, Sendable, Equatable {
    /// What went wrong, for people.
    package let message: String
    /// How the command ends.
    package let ending: CommandResult.Ending

    package init(message: String, ending: CommandResult.Ending) {
        self.message = message
        self.ending = ending
    }
}
