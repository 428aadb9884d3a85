#!/usr/bin/env bash
# Plays two API providers' rate-limit pages from beginning to end, with real requests through two gateways that share a Redis:
#   examples/provider-walkthrough.sh
# It starts everything that it needs, prints each answer, checks it, and ends what it started. HEADGATE names a built command;
# without it, this repository's is built.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
# shellcheck source=walkthrough/common.sh
source "$here/walkthrough/common.sh"

find_headgate
start_redis first
start_upstream
start_gateway a tensorone
start_gateway b tensorone
a=$(address a)/v2
b=$(address b)/v2
echo "Redis at $redis, the API at $upstream, gateways at $a and $b"

# shellcheck source=walkthrough/tensorone.sh
source "$here/walkthrough/tensorone.sh"

start_redis second
start_gateway c supervised-ai
start_gateway d supervised-ai
c=$(address c)
d=$(address d)

# shellcheck source=walkthrough/supervised-ai.sh
source "$here/walkthrough/supervised-ai.sh"

printf '\nAll %d checks passed.\n' "$checks"
