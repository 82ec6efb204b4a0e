"""Phase `test`: is the host as it was before the update, and does it do its work (SOP step 8).

Compares units, ports, failed units, mounts, disks and packages with the baseline, then runs the
office's checks. Whatever failed before the update is `preexisting` and is not blamed on it.
"""

import time

from hostside import baseline, checks, hostinfo, mounts, systemd
from hostside.findings import decided, told
from hostside.outcome import result

SETTLE_SECONDS = 20
POLL_SECONDS = 0.5
# A unit that restarts over and over is active at times: only this many seconds make it lasting.
LASTING_SECONDS = 3
NAMED_AT_MOST = 8
STANDING = ("enabled", "enabled-runtime", "alias", "linked", "generated")


def run(request, answer):
    """Fill `answer` with `facts.tests`; `failed` when a required test fails that passed before."""
    options = request.get("options", {})
    before = request.get("baseline") or {}
    own = options.get("checks") or []
    errors = checks.definition_errors(own)
    if errors:
        decided(answer, "failed", "bad-check", "; ".join(errors))
        return
    deadline = time.monotonic() + float(options.get("settle_seconds", SETTLE_SECONDS))
    tests = []
    if before:
        tests += compare(before, deadline)
        tests += test_packages(request)
    else:
        message = "there is no baseline: only the office's checks were run"
        told(answer, "no-baseline", message)
    left = 0.0 if hopeless(tests) else max(0.0, deadline - time.monotonic())
    tests += checks.run_all(own, left, before.get("checks") or [])
    answer.facts["tests"] = tests
    judge(answer, tests)


def judge(answer, tests):
    """Status and finding by the required tests that failed."""
    broken = [t for t in tests if t["required"] and t["result"] == "failed"]
    if broken:
        words = ["%s: %s" % (t["name"], t["evidence"]) for t in broken[:NAMED_AT_MOST]]
        decided(answer, "failed", "test-failed", "; ".join(words))


def compare(before, deadline):
    """Units, ports, failed units and mounts against the baseline, until all is well or late.

    A unit that systemd has given up (`failed`) does not come back by itself: that ends the wait.
    """
    started = time.monotonic()
    while True:
        tests, settled = compare_once(before)
        now = time.monotonic()
        late = now + POLL_SECONDS >= deadline
        late |= hopeless(tests) and now - started >= LASTING_SECONDS
        if late or (settled and not any(awaited(test) for test in tests)):
            for test in tests:
                test["seconds"] = round(time.monotonic() - started, 3)
            return tests
        time.sleep(POLL_SECONDS)


def awaited(test):
    """Whether waiting could still make a failed test pass: a full disk does not empty itself."""
    return test["result"] == "failed" and test["kind"] != "disk"


def hopeless(tests):
    """Whether a required unit that was active before has failed for good."""
    return any(
        t["kind"] == "failed-units" and t["result"] == "failed" and t["required"] for t in tests
    )


def compare_once(before):
    """(tests, settled): `settled` is false while a unit has been active for a moment only."""
    restarted = before.get("boot_id") != hostinfo.boot_id()
    tests, settled = [], True
    if systemd.available():
        units = before.get("active_units") or []
        shown = systemd.show(units)
        settled = all(lasting(properties) for properties in shown.values())
        tests += test_units(units, shown, restarted)
        tests += test_failed_units(systemd.failed_units(), before.get("failed_units") or [])
    tests += test_ports(systemd.listening_ports(), before.get("ports") or [])
    if "mounts" in before:
        tests += mounts.compare(before["mounts"], mounts.baseline())
    if "disk" in before:
        tests += mounts.compare_disks(before["disk"], hostinfo.disks())
    return tests, settled


def lasting(properties):
    """Whether a unit is not active, or has been for long enough to be believed."""
    if properties.get("ActiveState") != "active":
        return True
    return systemd.active_seconds(properties) >= LASTING_SECONDS


def test_units(before, shown, restarted):
    """One test for each unit that is no longer active or does not stay so, one for all others.

    A unit that ended well by itself (Result=success) and is not started at boot is no failure: it
    is started on demand, or by hand and was not enabled.
    """
    tests = []
    for unit in before:
        properties = shown.get(unit, {})
        state = properties.get("ActiveState", "unknown")
        if state != "active":
            tests.append(test_lost_unit(unit, state, properties, restarted))
        elif not lasting(properties) and properties.get("NRestarts", "0") not in ("", "0"):
            tests.append(result(
                unit, "unit", unit, "failed",
                "does not stay up: systemd has restarted it %s times" % properties["NRestarts"],
            ))
    still = len(before) - len(tests)
    tests.insert(0, result(
        "units still active", "unit", "*", "passed",
        "%d of %d units that were active before are active" % (still, len(before)),
    ))
    return tests


def test_lost_unit(unit, state, properties, restarted):
    """The test of a unit that was active before and is not now."""
    standing = properties.get("UnitFileState") in STANDING
    ended_well = state == "inactive" and properties.get("Result") == "success"
    on_demand = not standing and ended_well
    by_hand = properties.get("UnitFileState") == "disabled" and not restarted
    evidence = "was active, is %s (%s, result %s, %s)" % (
        state, properties.get("SubState", "?"), properties.get("Result", "?"),
        properties.get("UnitFileState") or properties.get("LoadState", "?"),
    )
    return result(unit, "unit", unit, "failed", evidence, required=by_hand or not on_demand)


def test_failed_units(now, before):
    """Units that failed since the baseline, and those that had failed before, one test each."""
    tests = []
    for unit in now:
        old = unit in before
        tests.append(result(
            unit, "failed-units", unit, "preexisting" if old else "failed",
            "failed before the update too" if old else "failed since the update",
        ))
    if not any(test["result"] == "failed" for test in tests):
        tests.insert(0, result(
            "no newly failed units", "failed-units", "*", "passed",
            "%d failed now, %d before" % (len(now), len(before)),
        ))
    return tests


def test_ports(now, before):
    """One test for each port that is no longer listened on, and one for all that still are."""
    gone = sorted(set(before) - set(now), key=systemd.port_key)
    tests = [result(
        "ports still open", "port", "*", "passed",
        "%d of %d ports are listened on" % (len(before) - len(gone), len(before)),
    )]
    return tests + [
        result(port, "port", port, "failed", "was listened on before, is not now") for port in gone
    ]


def test_packages(request):
    """Whether every approved package is at its approved or its former version, and none is
    half-configured: the state between is never a good one."""
    items = baseline.package_items(request)
    unfinished = baseline.half_configured()
    tests = [
        result(name, "packages", name, "failed", "the package is half-configured")
        for name in unfinished
    ]
    installed = baseline.installed() if items else {}
    at = {"to": 0, "from": 0}
    for item in items:
        version = installed.get(baseline.package_key(item), "")
        if version == item["to"]:
            at["to"] += 1
        elif version == item["from"]:
            at["from"] += 1
        else:
            tests.append(result(
                item["name"], "packages", item["name"], "failed",
                "is at %s, neither %s nor %s" % (version or "no version", item["to"], item["from"]),
            ))
    evidence = "%d at the approved version, %d at the former one" % (at["to"], at["from"])
    return [result("packages consistent", "packages", "*", "passed", evidence), *tests]
