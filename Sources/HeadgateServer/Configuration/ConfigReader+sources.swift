public import Configuration

extension ConfigReader {
    /// The settings of `headgate serve`: the command line before the environment (`HEADGATE_…`) before a file.
    ///
    /// - Parameters:
    ///   - arguments: What the command line said, by key.
    ///   - environment: The environment's variables.
    ///   - file: The path of a YAML file, or of a JSON file with the ending `.json`; `nil` reads none.
    /// - Returns: A reader of all three.
    /// - Throws: ``ConfigurationError`` when the file cannot be read.
    public static func settings(
        arguments: [String: ConfigValue],
        environment: [String: String],
        file: String?
    ) async throws(ConfigurationError) -> ConfigReader {
        let given = arguments.map { (AbsoluteConfigKey([$0.key]), $0.value) }
        var providers: [any ConfigProvider] = [
            InMemoryProvider(name: "arguments", values: Dictionary(uniqueKeysWithValues: given)),
            EnvironmentVariablesProvider(environmentVariables: environment).prefixKeys(with: "headgate"),
        ]
        if let file {
            let path = ConfigReader(provider: InMemoryProvider(values: ["filePath": ConfigValue(.string(file), isSecret: false)]))
            do {
                if file.hasSuffix(".json") {
                    providers.append(try await FileProvider<JSONSnapshot>(config: path))
                } else {
                    providers.append(try await FileProvider<YAMLSnapshot>(config: path))
                }
            } catch {
                throw ConfigurationError("the configuration file \(file) cannot be read: \(error)")
            }
        }
        return ConfigReader(providers: providers)
    }
}
