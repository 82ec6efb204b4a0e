"""Phase `rehearse`: what backup and update of the planned items would do; changes nothing.

It asks the same questions as the real phases (preflight, back end, what the package manager would
do, baseline), all of them, and never calls what carries them out. A request of a dry run names it
(`rehearsal: true`), and so does `hostside/main.py` refuse any other phase for it.
"""

from hostside import backends, baseline, hypervisor, keeproom, preflight, simulation, untested
from hostside.answer import Answer

REFRESH = ("private", "system", "none")


def run(request, answer):
    """Fill `facts.parts` [{part, result, message}] and the facts of each part; the first part that
    would not pass decides the status. `options.parts` names some of them; all by default."""
    if request.get("transaction"):
        answer.stop("refused", "rehearsal-only", "a rehearsal is no transaction")
        return
    answer.facts.update(parts=[], backup={}, simulation=None, baseline=None)
    parts = request.get("options", {}).get("parts") or list(PARTS)
    unknown = sorted(set(map(str, parts)) - set(PARTS))
    wrong = preflight.malformed(request.get("items", []))
    if unknown or wrong:
        answer.stop("refused", *(wrong or ("bad-option", "there is no part %s" % unknown[0])))
        return
    for part, ask in PARTS.items():
        if part in parts and not ask(request, answer):
            return


def note(answer, part, stopped=None, message=""):
    """Write a part's result down; `stopped` is an Answer that ended with something else than ok."""
    failed = stopped is not None and stopped.status != "ok"
    if failed:
        for found in stopped.problems:
            answer.stop(stopped.status, found["code"], found["message"], found["hint"])
        message = "; ".join(found["message"] for found in stopped.problems)
    answer.facts["parts"].append({
        "part": part, "result": "failed" if failed else "passed", "message": message[:2000]})


def check_host(request, answer):
    """The preflight of the change; returns whether asking on makes sense."""
    own = Answer("rehearse")
    preflight.passed(request, own)
    note(answer, "preflight", own, "root, clock, room, locks and packages are as they must be")
    codes = {found["code"] for found in own.problems}
    return not codes & {"not-root", "no-package-manager", "bad-item"}


def check_backup(request, answer):
    """Which back end would be used, why no better one, and whether it has room."""
    own, options = Answer("rehearse"), request.get("options", {})
    fact = answer.facts["backup"] = {"method": "", "against": {}}
    if options.get("method") in hypervisor.BACKENDS:
        rehearse_hypervisor(answer, own, options)
        return True
    try:
        fact["method"] = backends.choose(request)
        for name in backends.AUTOMATIC:
            if name == fact["method"]:
                break
            fact["against"][name] = backends.BACKENDS[name].reason_against(request)
        if fact["method"] == "packages":
            names = sorted({baseline.package_key(i) for i in baseline.package_items(request)})
            short = keeproom.short(names, float(options.get("reserve_mb", preflight.RESERVE_MB)))
            if short:
                own.stop("refused", "no-backup", short,
                         "Make room; without a proven backup nothing is updated.")
    except (backends.Unusable, OSError, ValueError) as error:
        own.stop("refused", "no-backup", str(error),
                 "Without a proven backup nothing is updated; see backup_method.")
    note(answer, "backup", own, "%s would be used" % fact["method"])
    return True


def rehearse_hypervisor(answer, own, options):
    """A back end of hypervisors: only the office's consent to an untested one is looked at."""
    method, fact = options["method"], answer.facts["backup"]
    against = untested.reason_against(method, options)
    if against:
        fact["against"][method] = against
        own.stop("refused", "no-backup", "backup_method is %s, but %s" % (method, against),
                 "Without a proven backup nothing is updated; see backup_method.")
    else:
        fact["method"] = method
    words = "%s would be used; a dry run does not ask the hypervisor" % method
    note(answer, "backup", own, "; ".join([words, *hypervisor.BACKENDS[method].untested()]))


def check_update(request, answer):
    """The package manager's own simulation of exactly the planned items."""
    own, options = Answer("rehearse"), request.get("options", {})
    items = baseline.package_items(request)
    refresh = options.get("refresh") or "private"
    gone = set()
    if not items:
        note(answer, "update", message="no packages are planned")
    elif refresh not in REFRESH:
        own.stop("refused", "bad-option", "check_refresh is %r" % refresh)
        note(answer, "update", own)
    else:
        try:
            found = simulation.ask(items, refresh)
            answer.facts["simulation"] = found.fact()
            status, code, message, gone = simulation.judged(items, found, options)
            if status != "ok":
                own.stop(status, code, message, "Nothing was changed; check the host again.")
            elif found.unkept and answer.facts["backup"].get("method") == "packages":
                own.stop("refused", "no-source", "; ".join(found.unkept),
                         "No backup by packages is possible: these cannot be had again.")
        except ValueError as error:
            own.stop("refused", "cannot-resolve", str(error),
                     "Repair the host's packages or sources; nothing was changed.")
        note(answer, "update", own, "%d packages would be updated, exactly as planned" % len(items))
    for item in request.get("items", []):
        result = "possible" if own.status == "ok" else "failed"
        if item.get("class") == "antivirus":
            result = "not-attempted"  # no antivirus has a dry run
        elif baseline.package_key(item) in gone:
            result = "superseded"
        answer.items.append(dict(item, result=result))
    return True


def check_baseline(request, answer):
    """The host as it works now, the office's checks included: the test would compare with this."""
    own = Answer("rehearse")
    try:
        taken = answer.facts["baseline"] = baseline.take(request)
    except (OSError, ValueError) as error:
        own.stop("refused", "no-backup", str(error), "Correct it; the backup needs a baseline.")
        note(answer, "baseline", own)
        return True
    failing = [c["name"] for c in taken["checks"] if c["result"] != "passed" and c["required"]]
    words = "%d units active, %d failed, %d checks" % (
        len(taken["active_units"]), len(taken["failed_units"]), len(taken["checks"]))
    if failing:
        words += "; these checks fail now: %s" % ", ".join(failing)
    note(answer, "baseline", message=words)
    return True


PARTS = {
    "preflight": check_host, "backup": check_backup, "update": check_update,
    "baseline": check_baseline,
}
