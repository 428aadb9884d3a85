# The Supervised AI page, sourced by provider-walkthrough.sh: gateways $c and $d.

section "Supervised AI: sandbox, developer and enterprise"
headgate accounts create s-sandbox --tier sandbox
headgate accounts create s-developer --tier developer
if headgate accounts create s-enterprise --tier enterprise 2>"$work/refused"; then
    echo "FAILED: an enterprise account was made without limits of its own" >&2
    exit 1
fi
sed 's/^/    /' "$work/refused"
headgate accounts create s-enterprise --tier enterprise --override requests=500/minute --override 'concurrency=20 slots'

sandbox=$(key s-sandbox)
developer=$(key s-developer)
enterprise=$(key s-enterprise)

section "Limit, Remaining and Reset, and no Window"
for tier in "$sandbox 20" "$developer 100" "$enterprise 500"; do
    read -r tier_key limit <<<"$tier"
    request GET "$c/tests" "$tier_key"
    is X-RateLimit-Limit "$(header x-ratelimit-limit)" "$limit"
    is X-RateLimit-Remaining "$(header x-ratelimit-remaining)" $((limit - 1))
    within "seconds to X-RateLimit-Reset" $(($(header x-ratelimit-reset) - $(date +%s))) 55 62
    is X-RateLimit-Window "$(header x-ratelimit-window || true)" ""
done

section "The sandbox has 20 requests a minute"
use_key=$sandbox
is "answers" "$(many 22 GET "$c/tests" "$d/tests")" "200x19 429x3"
request GET "$d/tests" "$sandbox"
is status "$status" 429
is "the body's status" "$(body status)" 429
is "the body's error" "$(body error)" "Too Many Requests"
is "the body's message" "$(body message)" "Rate limit exceeded. Please try again in $(body retry_after) seconds."
is "retry_after is Retry-After" "$(body retry_after)" "$(header retry-after)"

section "Concurrent requests: 5 for a developer, over both instances, streaming included"
streams=()
for gateway in "$c" "$d" "$c" "$d" "$c"; do
    curl -sS --max-time 30 -N -o /dev/null -H "Authorization: Bearer $developer" "$gateway/stream?seconds=20" &
    streams+=($!)
done
pids+=("${streams[@]}")
sleep 1
request GET "$d/tests" "$developer"
is "status of a sixth" "$status" 429
kill -KILL "${streams[0]}"
sleep 1
request GET "$c/tests" "$developer"
is "status after one has hung up" "$status" 200
for stream in "${streams[@]}"; do kill -KILL "$stream" 2>/dev/null || true; done
sleep 1
request GET "$d/auth/rate-limits" "$developer"
is "slots that are free" "$(body limits.concurrent_requests.remaining)" 5
