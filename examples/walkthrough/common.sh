# What the walkthrough is made of: processes that always end, requests that are shown, and checks.
# Sourced by scripts that set -euo pipefail.

work=$(mktemp -d "${TMPDIR:-/tmp}/headgate-walkthrough.XXXXXX")
pids=()
checks=0

finish() {
    local status=$?
    # KILL: whoever started this script may have left us, and so them, with other signals blocked.
    for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    ((status == 0)) || { echo "--- it failed; the servers' last words:" >&2; tail -n 5 "$work"/*.log >&2 || true; }
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# The command: HEADGATE, or what this repository builds.
find_headgate() {
    if [[ -z ${HEADGATE:-} ]]; then
        (cd "$root" && swift build --product headgate >&2)
        HEADGATE="$(cd "$root" && swift build --show-bin-path)/headgate"
    fi
    [[ -x $HEADGATE ]] || { echo "no headgate at $HEADGATE" >&2; exit 1; }
}

# start NAME COMMAND...: runs a program in the background, its output in $work/NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$work/$name.log" 2>&1 &
    pids+=($!)
}

# line NAME PATTERN: waits until a program has printed a line, and prints it.
line() {
    local found
    for _ in $(seq 200); do
        if found=$(grep -m 1 -E "$2" "$work/$1.log" 2>/dev/null); then echo "$found"; return; fi
        sleep 0.05
    done
    echo "$1 did not print '$2' within 10 seconds" >&2
    return 1
}

# start_redis NAME: a Redis of its own, without persistence.
start_redis() {
    redis=unix://$work/$1.sock
    start "redis-$1" redis-server --port 0 --unixsocket "$work/$1.sock" --save '' --appendonly no --dir "$work"
    line "redis-$1" 'eady to accept connections' >/dev/null
}

start_upstream() {
    start upstream python3 "$here/walkthrough/upstream.py"
    upstream=http://127.0.0.1:$(line upstream '^listening on ' | sed 's/.*://')
}

# start_gateway NAME POLICY [OPTION...]: prints the gateway's address.
start_gateway() {
    local name=$1 policy=$2
    shift 2
    start "$name" "$HEADGATE" serve --policy "$root/policies/$policy.yaml" --redis "$redis" --upstream "$upstream" \
        --listen 127.0.0.1:0 --admin-listen none --deadline 5s --log-level error "$@"
}

# address NAME: where a gateway listens, once it has also published its policy, by which the command line checks.
address() {
    line "$1" '^listening on ' | sed 's/^listening on //'
    for _ in $(seq 100); do
        [[ $(redis-cli -s "${redis#unix://}" exists 'hg:{g:headgate}:policy') == 1 ]] && return
        sleep 0.05
    done
}

section() { printf '\n== %s\n' "$*"; }

# headgate ARGUMENT...: the command line against this Redis.
headgate() {
    echo "\$ headgate $*" >&2
    "$HEADGATE" "$@" --redis "$redis"
}

# key ACCOUNT [PERMISSION...]: makes a key and prints it.
key() {
    local account=$1 options=()
    shift
    for permission in "$@"; do options+=(--permission "$permission"); done
    headgate keys create --account "$account" "${options[@]}" --json | json secret
}

# json PATH: a value of the JSON on standard input; a.b.0 goes into it.
json() {
    python3 -c '
import json, sys
value = json.load(sys.stdin)
for part in sys.argv[1].split("."):
    value = value[int(part)] if isinstance(value, list) else value[part]
print(json.dumps(value) if isinstance(value, (dict, list, bool)) or value is None else value)' "$1"
}

# request METHOD URL KEY [CURL OPTION...]: sends it and shows the answer; status, header and body can be asked for then.
request() {
    local method=$1 url=$2 key=$3 options=(-X "$1")
    shift 3
    [[ $method == HEAD ]] && options=(-I)
    echo "\$ curl -X $method $url${*:+ $(printf '%q ' "$@")}"
    status=$(curl -sS --max-time 30 "${options[@]}" -H "Authorization: Bearer $key" -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" "$url")
    grep -iE '^(HTTP|x-ratelimit|retry-after|x-headgate)' "$work/head" | tr -d '\r' | sed 's/^/    /'
    [[ -s $work/body && $method != HEAD ]] && { head -c 2000 "$work/body" | sed 's/^/    /'; echo; }
    return 0
}

header() { grep -i "^$1:" "$work/head" | tail -n 1 | tr -d '\r' | sed 's/^[^:]*: *//'; }
body() { json "$1" <"$work/body"; }

# is WHAT FOUND EXPECTED
is() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED: $1 is '$2'; expected '$3'" >&2
        exit 1
    fi
    checks=$((checks + 1))
    echo "    ok: $1 is $2"
}

# within WHAT FOUND LEAST MOST
within() {
    if (($2 < $3 || $2 > $4)); then
        echo "FAILED: $1 is $2; expected $3 to $4" >&2
        exit 1
    fi
    checks=$((checks + 1))
    echo "    ok: $1 is $2, within $3 and $4"
}

# many COUNT METHOD URL... : sends a request so often, by turns to each URL, with $use_key; prints how often each status came.
many() {
    local count=$1 method=$2
    shift 2
    for index in $(seq 0 $((count - 1))); do
        local urls=("$@")
        printf 'url = "%s"\nrequest = "%s"\nheader = "Authorization: Bearer %s"\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nnext\n' \
            "${urls[index % ${#urls[@]}]}" "$method" "$use_key"
    done >"$work/many"
    # The last `next` would begin a request without a URL.
    sed -i '$d' "$work/many"
    curl -sS --config "$work/many" | sort | uniq -c | awk '{print $2"x"$1}' | paste -sd ' '
}
