"""What schemathesis has to know beside the documents: where requests come from, and which rules no schema can say."""

import itertools
import json
import os
import re

import schemathesis

addresses = itertools.count(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each request comes from an address of its own, since ten wrong keys or tokens lock one out."""
    number = next(addresses)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@schemathesis.hook
def after_call(context, case, response):
    """Notes which operations have succeeded."""
    if 200 <= response.status_code < 300:
        with open(os.environ["OPENAPI_SEEN"], "a") as seen:
            seen.write(f"{case.method} {case.path}\n")


@schemathesis.hook
def map_headers(context, headers):
    """A proxy describes a request once."""
    if headers and "X-Forwarded-Method" in headers and "X-Forwarded-Uri" in headers:
        return {name: value for name, value in headers.items() if not name.startswith("X-Original-")}
    return headers


def no_factor(text):
    """More than 15 digits, where a double of JSON has up to 17; or none of the numbers above 0 and up to a million."""
    return len(text.replace(".", "")) > 15 or not 0 < float(text) <= 1_000_000


def no_number(text):
    """A number that has more than 64 bits, as units or as microseconds."""
    return re.search(r"\d{7}", text)


FACTOR = r"expected a number above 0 and up to 1000000 such as 5 or 0\.25, found '([\d.]+)'"
RATE = r"expected a rate such as 100/hour, .*, found '(.*)'"
TIME = r"expected a time with its unit such as .*, found '(.*)'"
COUNTED = (
    r"a limit('s window is| has) .*; expected .*|a concurrency limit is \d+; expected 0 to 10000 slots|multipliers have too many digits together"
    r"|\d+ (units|slots) times .* are more than can be counted exactly|the account's own limit for '.*' is .*; expected .*"
)
NAMES = r"unknown (limit|tier) '.*'.*; expected one of .*"

# Rules between several fields, and rules that depend on the policy or on the clock: a request that the document allows and that is answered
# 400 all the same. By path and by the error's message, so that no other refusal is taken for one of these; the last is what has to be
# true of what the message says it found.
RULES = [
    (r"/v1/authorize$", r"X-Forwarded-(Method|Uri) is missing; expected it or X-Original-(Method|URI) from the proxy", None),
    (r"/v1/authorize$", r"X-Forwarded-(Method|Uri) and X-Original-(Method|URI) differ; expected one of them", None),
    (r"/v1/authorize$", r"The subject's tier is not known", None),
    (r"/v1/leases/", r"the lease id is malformed; expected the lease of a decision, unchanged", None),
    (r"/v1/decisions$", rf"(?:[\w.\[\]]+: )?(?:{NAMES}|{COUNTED})", None),
    (r"/v1/decisions$", r"requests holds \d+ requests; expected 1 to 64", None),
    (r"/v1/decisions$", rf".*: {FACTOR}", no_factor),
    (r"/v1/decisions$", rf".*: {RATE}", no_number),
    (r"usage$", r"expected a period, or from and to|expected a time beside (from|to), found nothing", None),
    (r"usage$", r"the period (ends before it begins|is longer than 31 days|begins too long ago); .*", None),
    (r"boosts?$", FACTOR, no_factor),
    (r"boosts?$", TIME, no_number),
    (r"boosts?$", r"expected (at most 366d|1s or longer)", None),
    (r"temporary-boost$", r"expected at most (5|7d), found .*", None),
    (r"^/v1/", FACTOR, no_factor),
    (r"^/v1/", RATE, no_number),
    (r"^/v1/(accounts|limit-increases)", rf"{NAMES}|{COUNTED}", None),
    (r"(overrides|grant|accounts)$", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ has passed", None),
]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops the refusal of a valid request that breaks one of the rules."""
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 400:
        return True
    # The answer to HEAD says nothing.
    if case.method == "HEAD" and case.path == "/v1/authorize":
        return False
    body = json.loads(response.content)
    message = body.get("detail") or body.get("message")
    return not any(breaks(case.path, message, *rule) for rule in RULES)


def breaks(path, message, where, text, check):
    found = re.search(where, path) and re.fullmatch(text, message, re.DOTALL)
    return found and (check is None or check(found.group(1)))
