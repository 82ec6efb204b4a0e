"""The office's own checks of a host: their definitions, and how they are run (SOP steps 7 and 8).

A check is an object of the inventory's variable `test_checks`; docs/reference/checks.md describes
every type and key. Each gives one result: `{name, kind, target, required, result, evidence,
seconds, attempts}` with result `passed` or `failed`.
"""

import re
import time

from hostside import mounts, probes
from hostside.outcome import one_line

ATTEMPT_SECONDS = 10
COMMAND_SECONDS = 30
PAUSE_SECONDS = 0.5
WORKERS = 8
LONGEST_TEXT = 4096


def is_text(value):
    """One line or more of text, or a number that stands for it."""
    return isinstance(value, (str, int)) and not isinstance(value, bool) and (
        0 < len(str(value)) <= LONGEST_TEXT
    )


def is_words(value):
    """A list of words."""
    return isinstance(value, list) and bool(value) and all(is_text(word) for word in value)


def is_switch(value):
    """True or false, also as text."""
    return str(value).lower() in ("true", "false", "yes", "no", "on", "off", "0", "1")


def number(low, high):
    """A test for numbers between two bounds, also as text; whole when the lower bound is."""
    def fits(value):
        shape = r"^-?\d+$" if isinstance(low, int) else r"^-?\d+(\.\d+)?$"
        text = str(value)
        return not isinstance(value, bool) and bool(re.match(shape, text)) and (
            low <= float(text) <= high
        )
    fits.__doc__ = "a number from %g to %g" % (low, high)
    return fits


def is_port(value):
    """`8080`, `tcp/8080`, `host:8080`."""
    try:
        return not isinstance(value, bool) and bool(probes.address_of(value))
    except ValueError:
        return False


def is_endpoint(value):
    """`host` or `host:port`."""
    if re.match(r"^[^\s/:]+$", str(value)):
        return is_text(value)
    return is_text(value) and is_port(value)


def is_url(value):
    """`http://…` or `https://…`."""
    return is_text(value) and bool(re.match(r"^https?://[^\s/]+", str(value)))


def is_path(value):
    """An absolute path."""
    return is_text(value) and str(value).startswith("/")


def is_mode(value):
    """Octal digits in quotes, such as `"0640"`: YAML makes another number of bare ones."""
    return isinstance(value, str) and bool(re.match(r"^[0-7]{3,4}$", value))


def is_digest(value):
    """64 hexadecimal digits."""
    return bool(re.match(r"^[0-9a-fA-F]{64}$", str(value)))


def is_text_or_words(value):
    """Text, or a list of it."""
    return is_text(value) or is_words(value)


class Kind:
    """A check type: its function, the key that names its target, and all its keys."""

    def __init__(self, probe, key, seconds=ATTEMPT_SECONDS, **keys):
        self.probe = probe
        self.key = key
        self.seconds = seconds  # the usual time limit of one attempt
        self.keys = keys


COMMON = {
    "name": is_text, "type": is_text, "required": is_switch, "timeout": number(0.1, 300),
    "retries": number(0, 60), "retry_seconds": number(0.1, 60),
}
TRUST = {"verify": is_switch, "ca": is_path}
KINDS = {
    "http": Kind(probes.check_http, "url", url=is_url, status=number(100, 599), text=is_text,
                 **TRUST),
    "service": Kind(probes.check_service, "unit", unit=is_text, enabled=is_switch),
    "port": Kind(probes.check_port, "port", port=is_port, address=is_text),
    "tls": Kind(probes.check_tls, "host", host=is_endpoint, server_name=is_text,
                days=number(0, 3650), **TRUST),
    "command": Kind(probes.check_command, "argv", COMMAND_SECONDS, argv=is_words,
                    status=number(0, 255), text=is_text),
    "file": Kind(probes.check_file, "path", path=is_path, exists=is_switch, owner=is_text,
                 group=is_text, mode=is_mode, sha256=is_digest),
    "dns": Kind(probes.check_dns, "resolve", resolve=is_text, address=is_text_or_words),
    "mount": Kind(mounts.check_mount, "path", path=is_path, fstype=is_text, options=is_words,
                  free_mb=number(0, 10**9), free_percent=number(0, 100)),
}


def definition_errors(checks):
    """What is wrong with the definitions themselves, one sentence each; [] when nothing is."""
    if not isinstance(checks, list):
        return ["test_checks must be a list, not %s" % type(checks).__name__]
    errors = []
    for position, check in enumerate(checks):
        if not isinstance(check, dict) or check.get("type") not in KINDS:
            errors.append(
                "test_checks[%d]: type must be one of %s" % (position, ", ".join(sorted(KINDS)))
            )
            continue
        place = "test_checks[%d] (%s)" % (position, check["type"])
        errors += ["%s %s" % (place, words) for words in key_errors(check, KINDS[check["type"]])]
    return errors


def key_errors(check, kind):
    """What is wrong with the keys of one check whose type is known."""
    errors = []
    if check.get(kind.key) in (None, "", []):
        errors.append("needs `%s`" % kind.key)
    known = dict(COMMON, **kind.keys)
    for key in sorted(map(str, check)):
        if key not in known:
            errors.append("has an unknown key `%s`; known are %s" % (
                one_line(key)[:40], ", ".join(sorted(known))))
        elif check.get(key) in (None, "", []):
            continue  # left empty: as if it were not there
        elif not known[key](check[key]):
            errors.append("has `%s: %s`, which must be %s" % (
                key, one_line(check[key])[:80], words_of(known[key])))
    return errors


def words_of(fits):
    """What a key's value must be, from the function that judges it."""
    words = fits.__doc__.strip().rstrip(".")
    return words[0].lower() + words[1:]


def required(check):
    """Whether a failure of this check is a reason to restore; true unless the office says no."""
    return not probes.switched_off(check.get("required", True))


def run_one(check):
    """One attempt at a well-defined check, as a result."""
    started = time.monotonic()
    kind = KINDS[check["type"]]
    present = {key: value for key, value in check.items() if value not in (None, "", [])}
    try:
        passed, evidence = True, kind.probe(present, float(present.get("timeout", kind.seconds)))
    except probes.Failed as error:
        passed, evidence = False, str(error)
    except (OSError, ValueError) as error:  # refused, timed out, no such host, malformed URL
        passed, evidence = False, "%s: %s" % (type(error).__name__, error)
    target = check[kind.key]
    return {
        "name": one_line(check.get("name") or target),
        "kind": check["type"],
        "target": one_line(" ".join(map(str, target)) if isinstance(target, list) else target),
        "required": required(check),
        "result": "passed" if passed else "failed",
        "evidence": one_line(evidence),
        "seconds": round(time.monotonic() - started, 3),
        "attempts": 1,
    }


def run_until(check, deadline, first):
    """Attempts after a failed first one until the check passes, or its `retries` are used up and
    the deadline is past; `seconds` covers all attempts."""
    started = time.monotonic() - first["seconds"]
    pause = float(check.get("retry_seconds") or PAUSE_SECONDS)
    retries, attempts, result = int(check.get("retries") or 0), 1, first
    while result["result"] != "passed":
        if attempts > retries and time.monotonic() + pause >= deadline:
            break
        time.sleep(pause)
        result = run_one(check)
        attempts += 1
    result["attempts"] = attempts
    result["seconds"] = round(time.monotonic() - started, 3)
    return result


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
    return run_until(check, deadline, result)


def run_all(checks, settle_seconds=0, before=()):
    """Results of all checks, in order; a failing one is tried again for `settle_seconds`.

    `before` are the results of the baseline: what failed there, too, is `preexisting`. Checks run
    side by side, so the time is bounded by the settle time, or a check's own retries, and two
    attempts. Raises ValueError, naming every error, when a definition is malformed.
    """
    import concurrent.futures  # late: the phase `check` only reads definitions, and this is slow

    errors = definition_errors(checks or [])
    if errors:
        raise ValueError("; ".join(errors))
    if not checks:
        return []
    deadline = time.monotonic() + settle_seconds
    failed_before = {identity(entry) for entry in before if entry["result"] != "passed"}
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda check: run_after(check, deadline, failed_before), checks))
