import Allocations
import Headgate
import HeadgatePolicy
import HeadgateYAML

// How long a policy of 500 endpoint rules takes to map a request to its limits, and how many blocks of memory that allocates.

var text = """
    name: many
    algorithm: token_bucket
    default_tier: free
    classes: { read: [GET /**], write: ["* /**"] }
    tiers: { free: { limits: { read: 100/hour, write: 20/hour } } }
    endpoints:

    """
for number in 0..<500 { text += "  - { match: GET /things-\(number)/*, limit: \(number + 1)/hour }\n" }
let policy = try Policy(yaml: text)
let subject = try Subject.account("acme")
let requests = (0..<500).map { number in
    LimitRequest(subject: subject, endpoint: Endpoint(method: "GET", path: "/things-\(number)/7"))
}

func resolve(times: Int) throws -> Int {
    var limits = 0
    for _ in 0..<times {
        for request in requests { limits += try policy.limits(for: request).count }
    }
    return limits
}

let warmUp = try resolve(times: 20)
precondition(warmUp == 20 * requests.count * 2, "each request has the limit of its class and that of its endpoint")
let times = 400
let before = allocations()
let start = ContinuousClock.now
_ = try resolve(times: times)
let each = (ContinuousClock.now - start) / .nanoseconds(1) / Double(times * requests.count)
let blocks = Double(allocations() - before) / Double(times * requests.count)
print("{\"nanoseconds\":\((each * 10).rounded() / 10),\"allocations\":\((blocks * 100).rounded() / 100)}")
