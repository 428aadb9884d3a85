import ArgumentParser
import Foundation
import HeadgateServer

/// The command `headgate`.
struct HeadgateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headgate",
        abstract: "A rate limiter that any number of instances share over Redis.",
        discussion: """
            EXAMPLES
              headgate serve --policy policies/tensorone.yaml
              headgate check --policy policies/tensorone.yaml --account a1 --tier pro POST /v2/clusters
              headgate explain --policy policies/tensorone.yaml --account a1 --tier pro GET /v2/accounts/7
              headgate inspect --account a1
              headgate accounts create acme --tier pro
              headgate keys create --account acme --permission boost
              headgate policy validate policies/tensorone.yaml

            EXIT CODES
              0  allowed, or done
              1  denied by a limit
              2  wrong command line, settings, policy or request
              3  Redis gave no answer
            """,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ExplainCommand.self, InspectCommand.self, AccountsCommand.self, KeysCommand.self,
            OverrideCommand.self, BoostCommand.self, IncreasesCommand.self, PolicyCommand.self,
            RedisACLCommand.self, BenchCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async {
        do {
            var command = try HeadgateCommand.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ExitCode {
            exit(error.rawValue)
        } catch let error as CommandError {
            fail(error.message, error.ending)
        } catch {
            switch HeadgateCommand.exitCode(for: error) {
            case .success:
                // Help is no failure.
                HeadgateCommand.exit(withError: error)
            case .validationFailure:
                let message = HeadgateCommand.fullMessage(for: error)
                // Of several lines the first is the message, the rest is the usage.
                write("headgate: \(message.hasPrefix("Error: ") ? String(message.dropFirst("Error: ".count)) : message)\n")
                exit(CommandResult.Ending.usage.rawValue)
            default:
                fail("\(error)", .usage)
            }
        }
    }

    private static func fail(_ message: String, _ ending: CommandResult.Ending) -> Never {
        write(message.split(separator: "\n").map { "headgate: \($0)\n" }.joined())
        exit(ending.rawValue)
    }

    private static func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }
}

extension CommandResult {
    /// Prints the text and ends the command.
    func finish() throws {
        print(text)
        guard ending == .done else { throw ExitCode(ending.rawValue) }
    }
}
