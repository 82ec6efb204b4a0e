"""The office's own checks of a host: http, service, port, command (SOP steps 7 and 8).

A check is an object of the inventory's variable `test_checks`:
`{name, type, url | unit | port | argv, status, text, required}`. Each gives one result:
`{name, kind, target, required, result, evidence, seconds}` with result `passed` or `failed`.
"""

import concurrent.futures
import re
import socket
import time

from hostside import systemd
from hostside.command import run

POLL_SECONDS = 0.5
ATTEMPT_SECONDS = 10
BODY_LIMIT = 1024 * 1024
EVIDENCE_LIMIT = 300
WORKERS = 8


class Failed(Exception):
    """A check that did not pass; the message is its evidence."""


def one_line(text):
    """Text as one bounded line without control characters: evidence is data, not terminal codes."""
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", str(text))
    return " ".join(plain.split())[:EVIDENCE_LIMIT]


def expect_text(check, text):
    """Raises Failed unless the check's `text` is part of `text`."""
    wanted = str(check.get("text") or "")
    if wanted and wanted not in text:
        raise Failed("%r is missing in the answer: %s" % (wanted, text[:120]))


def check_http(check):
    """GETs `url` without proxies; passes on `status` (default 200) and `text` in the body."""
    import urllib.error
    import urllib.request

    wanted = int(check.get("status") or 200)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(str(check["url"]), timeout=ATTEMPT_SECONDS) as reply:
            status, body = reply.status, reply.read(BODY_LIMIT)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(BODY_LIMIT)
    except urllib.error.URLError as error:
        raise Failed("no answer: %s" % error.reason) from None
    text = body.decode("utf-8", "replace")
    if status != wanted:
        raise Failed("HTTP %d instead of %d: %s" % (status, wanted, text[:120]))
    expect_text(check, text)
    return "HTTP %d: %s" % (status, text[:120])


def check_service(check):
    """Passes when the systemd unit is active."""
    if not systemd.available():
        raise Failed("there is no systemd on this host to ask for %s" % check["unit"])
    unit = str(check["unit"])
    result = run(["systemctl", "is-active", "--", unit], timeout=ATTEMPT_SECONDS)
    state = result.out.strip() or result.tail(1)
    if not result.ok:
        raise Failed("%s is %s" % (unit, state))
    return "%s is %s" % (unit, state)


def address_of(check):
    """(host, port) of `port`: 8080, `tcp/8080` or `host:8080`; the host itself by default."""
    match = re.match(r"^(?:tcp/)?(?:(.+):)?(\d{1,5})$", str(check["port"]))
    if not match:
        raise Failed("%r is no TCP port" % (check["port"],))
    return match.group(1) or str(check.get("address") or "localhost"), int(match.group(2))


def check_port(check):
    """Passes when a TCP connection to the port opens."""
    host, port = address_of(check)
    with socket.create_connection((host, port), timeout=ATTEMPT_SECONDS):
        return "%s port %d accepts connections" % (host, port)


def check_command(check):
    """Runs `argv` (no shell); passes on exit code `status` (default 0) and `text` in its output."""
    argv = check["argv"]
    if not isinstance(argv, list) or not argv:
        raise Failed("argv must be a list of words, not %r" % (argv,))
    result = run([str(word) for word in argv], timeout=int(check.get("timeout") or 30))
    wanted = int(check.get("status") or 0)
    if result.code is None:
        raise Failed("%s was ended at its time limit" % argv[0])
    if result.code != wanted:
        raise Failed("exit code %d instead of %d: %s" % (result.code, wanted, result.tail(2)))
    expect_text(check, result.out)
    return "exit code %d: %s" % (result.code, result.out[:120])


KINDS = {
    "http": (check_http, "url"),
    "service": (check_service, "unit"),
    "port": (check_port, "port"),
    "command": (check_command, "argv"),
}


def definition_errors(checks):
    """What is wrong with the definitions themselves, one sentence each; [] when nothing is."""
    errors = []
    if not isinstance(checks, list):
        return ["test_checks must be a list, not %s" % type(checks).__name__]
    for number, check in enumerate(checks):
        if not isinstance(check, dict) or check.get("type") not in KINDS:
            errors.append(
                "test_checks[%d]: type must be one of %s" % (number, ", ".join(sorted(KINDS)))
            )
        elif not check.get(KINDS[check["type"]][1]):
            key = KINDS[check["type"]][1]
            errors.append("test_checks[%d] (%s) needs `%s`" % (number, check["type"], key))
    return errors


def required(check):
    """Whether a failure of this check is a reason to restore; true unless the office says no."""
    return check.get("required", True) not in (False, "false", "no", 0)


def run_one(check):
    """One attempt at a well-defined check, as a result."""
    started = time.monotonic()
    function, key = KINDS[check["type"]]
    try:
        passed, evidence = True, function(check)
    except Failed as error:
        passed, evidence = False, str(error)
    except (OSError, ValueError) as error:  # refused, timed out, no such host, malformed URL
        passed, evidence = False, "%s: %s" % (type(error).__name__, error)
    target = check[key]
    return {
        "name": one_line(check.get("name") or target),
        "kind": check["type"],
        "target": one_line(" ".join(map(str, target)) if isinstance(target, list) else target),
        "required": required(check),
        "result": "passed" if passed else "failed",
        "evidence": one_line(evidence),
        "seconds": round(time.monotonic() - started, 3),
    }


def run_until(check, deadline):
    """Attempts until the check passes or the deadline is past; `seconds` covers all attempts."""
    started = time.monotonic()
    while True:
        result = run_one(check)
        waited = time.monotonic()
        if result["result"] == "passed" or waited + POLL_SECONDS >= deadline:
            result["seconds"] = round(waited - started, 3)
            return result
        time.sleep(POLL_SECONDS)


def identity(entry):
    """What makes a result of before and one of after the same check."""
    return entry["name"], entry["kind"], entry["target"]


def run_after(check, deadline, failed_before):
    """A check's result; one that failed before the update is `preexisting` and not waited for."""
    result = run_one(check)
    if result["result"] == "passed":
        return result
    if identity(result) in failed_before:
        result["result"] = "preexisting"
        return result
    return run_until(check, deadline)


def run_all(checks, settle_seconds=0, before=()):
    """Results of all checks, in order; a failing one is tried again for `settle_seconds`.

    `before` are the results of the baseline: what failed there, too, is `preexisting`. Checks run
    side by side, so the time is bounded by the settle time and two attempts. Raises ValueError,
    naming every error, when a definition is malformed.
    """
    errors = definition_errors(checks or [])
    if errors:
        raise ValueError("; ".join(errors))
    if not checks:
        return []
    deadline = time.monotonic() + settle_seconds
    failed_before = {identity(entry) for entry in before if entry["result"] != "passed"}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda check: run_after(check, deadline, failed_before), checks))
