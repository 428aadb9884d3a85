# The TensorOne page, sourced by provider-walkthrough.sh: gateways $a and $b.
now() { date +%s; }

section "Accounts and keys for the three tiers"
headgate accounts create free-corp --tier free
headgate accounts create pro-corp --tier pro
headgate accounts create big-corp --tier enterprise
free=$(key free-corp)
pro=$(key pro-corp boost)
big=$(key big-corp priority)

section "Every response has the rate limit headers"
request GET "$a/projects" "$pro"
is status "$status" 200
is X-RateLimit-Limit "$(header x-ratelimit-limit)" 1000
is X-RateLimit-Remaining "$(header x-ratelimit-remaining)" 999
is X-RateLimit-Window "$(header x-ratelimit-window)" 3600
within "seconds to X-RateLimit-Reset" $(($(header x-ratelimit-reset) - $(now))) 3590 3610
request GET "$b/projects" "$pro"
is "X-RateLimit-Remaining at the other instance" "$(header x-ratelimit-remaining)" 998
request GET "$a/status/404" "$pro"
is status "$status" 404
is "X-RateLimit-Remaining on a 404" "$(header x-ratelimit-remaining)" 997

section "Without a key, and with a wrong one"
request GET "$a/projects" "hgk_0000000000000000_0000000000000000000000000000000000000000000"
is status "$status" 401

section "Tiers: limits by operation class"
for tier in "$free 100 20" "$pro 1000 200" "$big 10000 2000"; do
    read -r tier_key reads writes <<<"$tier"
    request HEAD "$a/models" "$tier_key"
    is "read limit" "$(header x-ratelimit-limit)" "$reads"
    request PATCH "$b/models/7" "$tier_key"
    is "write limit" "$(header x-ratelimit-limit)" "$writes"
done
request POST "$a/training/jobs" "$big"
is "status of the unlimited training job" "$status" 201
is "its endpoint limit, 10 an hour times 50" "$(header x-ratelimit-limit)" 500

section "Endpoint limits on top: the free tier creates 20 clusters an hour"
use_key=$free
# One write was used above: 19 are left of the class.
is "answers" "$(many 25 POST "$a/clusters" "$b/clusters")" "201x19 429x6"

section "429: the body that the page shows, with Retry-After"
request POST "$b/clusters" "$free"
is status "$status" 429
is error "$(body error)" RATE_LIMIT_EXCEEDED
is code "$(body code)" 429
is details.remaining "$(body details.remaining)" 0
within Retry-After "$(header retry-after)" 3500 3600
is "details.retry_after is Retry-After" "$(body details.retry_after)" "$(header retry-after)"

section "Current usage costs nothing"
request GET "$a/auth/rate-limits" "$free"
is status "$status" 200
is "limits.write_operations.remaining" "$(body limits.write_operations.remaining)" 0
is "limits.read_operations.limit" "$(body limits.read_operations.limit)" 100
first=$(body limits.read_operations.remaining)
request GET "$b/auth/rate-limits" "$free"
is "limits.read_operations.remaining, asked again" "$(body limits.read_operations.remaining)" "$first"
request GET "$b/auth/rate-limits" "$big"
is "limits.training_jobs.unlimited" "$(body limits.training_jobs.unlimited)" true

section "Usage analytics"
sleep 1.2
request GET "$a/analytics/api-usage?period=24h" "$free"
is status "$status" 200
is "totals.denied" "$(body totals.denied)" 7
is "denied_by_limit.write_operations" "$(body denied_by_limit.write_operations)" 7
is "by_class.write_operations.allowed" "$(body by_class.write_operations.allowed)" 20

section "A temporary boost holds at once, at both instances"
request POST "$a/auth/temporary-boost" "$pro" -d '{
    "multiplier": 2,
    "duration": "24h",
    "reason": "Data migration"
  }'
is status "$status" 201
sleep 1
for gateway in "$a" "$b"; do
    request GET "$gateway/projects" "$pro"
    is "read limit" "$(header x-ratelimit-limit)" 2000
done
request POST "$b/auth/temporary-boost" "$pro" -d '{"multiplier": 2, "duration": "24h"}'
is status "$status" 400
is "the field at fault" "$(body details.field)" reason
request POST "$b/auth/temporary-boost" "$free" -d '{"multiplier": 2, "duration": "24h", "reason": "why not"}'
is "status without the permission" "$status" 403

section "A request for more, and its answer"
request POST "$a/auth/limit-increase" "$free" -d '{"expected_volume": "5000 requests a day", "use_case": "nightly import", "timeline": "from Monday"}'
is status "$status" 202
headgate increases grant "$(body id)" --override read=250/hour --answer 'until the import is done'

section "The plan is upgraded: what was used stays, what is allowed grows"
headgate accounts set-tier free-corp pro
sleep 1
request POST "$b/clusters" "$free"
is status "$status" 201
is "write limit" "$(header x-ratelimit-limit)" 100
is "what remains of 100 clusters, of which 19 were made before" "$(header x-ratelimit-remaining)" 80
request GET "$a/auth/rate-limits" "$free"
is "the account's own read limit" "$(body limits.read_operations.limit)" 250

section "Batching: one request for many executions"
before=$(request GET "$a/auth/rate-limits" "$big" >/dev/null && body limits.write_operations.remaining)
request POST "$a/endpoints/batch-execute" "$big" -d '{
    "requests": [
      {"endpoint_id": "ep1", "input": {}},
      {"endpoint_id": "ep2", "input": {}}
    ]
  }'
is status "$status" 201
request GET "$b/auth/rate-limits" "$big"
is "write operations used" $((before - $(body limits.write_operations.remaining))) 1

section "Conditional requests do not use up quota"
before=$(request GET "$a/auth/rate-limits" "$big" >/dev/null && body limits.read_operations.remaining)
request GET "$a/report" "$big" -H 'If-None-Match: "v1"'
is status "$status" 304
request GET "$b/status/503" "$big"
is "status of an upstream in trouble" "$status" 503
request GET "$b/auth/rate-limits" "$big"
is "read operations used" $((before - $(body limits.read_operations.remaining))) 0

section "Priorities: a fifth of each limit is kept from low ones; high needs its permission"
headgate accounts create small-corp --tier free
small=$(key small-corp)
use_key=$small
is "sixteen writes" "$(many 16 PATCH "$a/models/7" "$b/models/7")" "200x16"
request PATCH "$a/models/7" "$small" -H 'X-Priority: low'
is "status of a low one" "$status" 429
is "what remains for others" "$(header x-ratelimit-remaining)" 4
request PATCH "$a/models/7" "$small" -H 'X-Priority: high'
is "status of one that counts as normal" "$status" 200
request POST "$b/endpoints/critical/execute" "$big" -H 'X-Priority: high' -d '{}'
is "status of a high one" "$status" 201

section "A revoked key opens nothing, at any instance"
small_id=$(headgate keys list --account small-corp --json | json keys.0.key)
headgate keys revoke "$small_id"
sleep 1
request GET "$a/projects" "$small"
is status "$status" 401
request GET "$b/projects" "$small"
is status "$status" 401
