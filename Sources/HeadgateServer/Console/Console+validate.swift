import HeadgatePolicy
import HeadgateYAML

extension Console {
    /// `headgate policy validate`: says what a policy file holds, or all that is wrong with it.
    ///
    /// - Throws: ``CommandError`` with a line for each problem: `file:line:column: field: what was expected`.
    package static func validate(_ file: String) throws(CommandError) -> CommandResult {
        do throws(InvalidPolicyFile) {
            let definition = try PolicyFile.load(file).definition
            let text =
                "\(file): policy '\(definition.name)' is valid: \(definition.classes.count) classes, \(definition.tiers.count) tiers, "
                + "\(definition.endpoints.count) endpoint rules, \(definition.permissions.count) permissions"
            return CommandResult(text: text, ending: .done)
        } catch {
            throw CommandError(message: error.description, ending: .usage)
        }
    }
}
