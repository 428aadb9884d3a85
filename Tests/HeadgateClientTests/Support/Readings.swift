import HTTPTypes

@testable import HeadgateClient

/// An answer as it is understood, with the local clock at a second since the epoch.
func read(
    _ status: Int,
    _ fields: [String: String],
    body: String = "",
    at second: Int64 = 1_640_995_200,
    clock: ServerClock = ServerClock()
) -> Reading {
    var clock = clock
    let times = AnswerTimes(sent: .seconds(second) - .milliseconds(10), received: .seconds(second))
    return Reading(status: status, HTTPFields(fields), body: Array(body.utf8), times: times, clock: &clock)
}

extension HTTPFields {
    init(_ fields: [String: String]) {
        self.init()
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { self[name] = value }
        }
    }
}
