internal import Headgate

/// The sentinels' answers to the question where the master is, and what follows from them; without I/O.
///
/// It is decided when more than half of them name the same place, or when all have answered or failed: then the place of the
/// newest configuration counts.
struct MasterPoll {
    /// What one sentinel says.
    enum Answer: Sendable, Hashable {
        /// The master is there, by the configuration of this epoch.
        case master(RedisEndpoint, epoch: Int64)
        /// It watches no master of that name.
        case unknown
        /// It said nothing.
        case failed
    }

    private let voters: Int
    private let name: String
    private var answers: [Answer] = []

    init(of voters: Int, master name: String) {
        self.voters = voters
        self.name = name
    }

    /// Notes an answer, and says what is decided by it.
    mutating func heard(_ answer: Answer) -> Result<RedisEndpoint, LimiterError>? {
        answers.append(answer)
        if case .master(let place, _) = answer, answers.count(where: { $0.place == place }) * 2 > voters { return .success(place) }
        guard answers.count == voters else { return nil }
        if let newest = answers.filter({ $0.place != nil }).max(by: { $0.epoch < $1.epoch })?.place { return .success(newest) }
        if answers.contains(.unknown) {
            return .failure(LimiterError(.unknownMaster, "the sentinels know no master with the name \(RedisFault.printable(name.utf8))"))
        }
        return .failure(LimiterError(.noSentinel, "none of \(voters) sentinels says where the master is"))
    }
}

extension MasterPoll.Answer {
    fileprivate var place: RedisEndpoint? {
        if case .master(let place, _) = self { place } else { nil }
    }

    fileprivate var epoch: Int64 {
        if case .master(_, let epoch) = self { epoch } else { .min }
    }

    /// Reads the reply to `SENTINEL MASTER <name>`.
    init(_ answer: Call.Answer) {
        switch answer {
        case .success(let reply):
            let texts = reply.value.elements?.map(\.text) ?? []
            var fields: [String: String] = [:]
            for index in stride(from: 0, to: texts.count - 1, by: 2) {
                if let name = texts[index], let value = texts[index + 1] { fields[name] = value }
            }
            guard let host = fields["ip"], !host.isEmpty, let port = fields["port"].flatMap({ Int($0) }), (1...65_535).contains(port)
            else {
                self = .failed
                return
            }
            self = .master(.host(host, port: port), epoch: fields["config-epoch"].flatMap { Int64($0) } ?? 0)
        case .failure(let error):
            self = error.message.contains("No such master") ? .unknown : .failed
        }
    }
}
