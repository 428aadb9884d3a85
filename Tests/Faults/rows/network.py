"""Section D: network, protocol, client."""
from __future__ import annotations

import check
from proxy import OnReply, Proxy
from scenario import COUNT_CLOSED, Scenario, codes, row, standard


@row("40", "reply lost after the script ran", "charged once, admitted at most once, class indefinite, never sent again", short=True)
def reply_lost(s: Scenario) -> None:
    redis = s.redis()
    ids: list[bytes] = []

    def swallow(connection, arguments, value, raw):
        ids.append(arguments[3 + int(arguments[2])])
        return None

    behaviour = OnReply(swallow)
    proxy = Proxy(redis.port, behaviour)
    s.topology.on_close(proxy.close)
    s.load(proxy.url, standard("closed") + [COUNT_CLOSED], workers=1, rate=200)
    for _ in range(5):
        s.sleep(0.4)
        behaviour.on = True
        s.sleep(0.15)
        behaviour.on = False
    s.sleep(1.5)
    records = s.finish(redis)
    unknown = [record for record in records if record.unknown]
    s.proof(len(ids) >= 5, f"{len(ids)} replies were swallowed")
    s.demand(len(ids) == len(set(ids)), "a call was sent twice")
    lost = [r for r in unknown if r.x in ("deadlineExceeded", "desynchronised", "connect")]
    s.demand(len(lost) >= len(ids), f"{len(ids)} replies lost, {len(lost)} decisions with unknown charge: {codes(unknown)}")
    for key in "abc":
        counted = int(redis.call("GET", f"hg:{{a:{key}}}:count:fw1").split()[0])
        admitted, maybe = check.admitted_units(records, key, "count"), check.unknown_units(records, key, "count")
        s.demand(admitted <= counted <= admitted + maybe, f"{key}: Redis counts {counted}, {admitted} admitted and {maybe} unknown")
    s.figure(f"{len(ids)} replies lost, {len(unknown)} unknown ({codes(unknown)}), 0 sent again, counts within")
