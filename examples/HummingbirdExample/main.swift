import Headgate
import HeadgateHTTP
import HeadgateHummingbird
import HeadgatePolicy
import HeadgateRedis
import HeadgateYAML
import Hummingbird

// Every instance of this service that uses the same Redis shares one count.
let policy = try PolicyFile.load("policies/quickstart.yaml")
let store = try RedisStore(RedisConfiguration(url: "redis://127.0.0.1:6379"))
let limiter = Limiter(store: store, rules: policy)

let router = Router()
router.add(
    middleware: RateLimitMiddleware(limiter: limiter, style: ResponseStyle(policy.responses)) { request, _ in
        // Who asks: here by a header; a real service takes it from its authentication.
        try .account(request.headers[.authorization] ?? "anonymous", tier: "free")
    }
)
router.get("hello") { _, _ in "Hello\n" }

var app = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
app.addServices(store)
try await app.runService()
