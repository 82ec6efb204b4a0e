"""Changes packages through dnf's own Python library; a process of its own under dnf's interpreter.

One process refreshes, resolves, compares with what was approved, downloads, checks SHA-256 and
signatures, and only then runs the transaction, so nothing can change in between. It prints one JSON
object as its last line. Its text is passed with `-c`, so it imports nothing of this project.
"""

import hashlib
import json
import os
import re
import shutil
import sys
import time

LEFT_OUT = ("local", "snapper", "etckeeper", "subscription-manager", "product-id",
            "upload-profile", "system_upgrade", "needs_restarting", "leaves", "show_leaves")
# rpm's own words on a script that failed; they name package, script and exit status.
FAILED_SCRIPT = re.compile(r"^(?:warning|error): (%\w+\(.*\) scriptlet failed.*)$", re.MULTILINE)


class Stop(Exception):
    """Ends the run with a status, a problem code and a message; nothing was installed."""

    def __init__(self, status, code, message):
        Exception.__init__(self, message)
        self.status = status
        self.code = code


def evr(package):
    """`epoch:version-release`, without an epoch of 0, as rpm and dnf write it."""
    text = "%s-%s" % (package.version, package.release)
    return "%d:%s" % (package.epoch, text) if package.epoch else text


def know_release(dnf, base):
    """Ask the rpm database once more which release this is, where it did not tell at first.

    It tells nothing while another process has just opened it anew (seen under heavy load); dnf then
    fails with a TypeError of its C++ part. Raises Stop after some seconds.
    """
    known = base.conf.substitutions
    for _ in range(10):
        if known.get("releasever"):
            return
        time.sleep(0.5)
        known["releasever"] = dnf.rpm.detect_releasever(base.conf.installroot)
    raise Stop("refused", "metadata-refresh-failed",
               "the release cannot be told: no installed package provides system-release")


def open_base(dnf, options):
    """dnf's Base with the host's own configuration, loaded and trusted repositories."""
    base = dnf.Base()
    base.conf.read()
    base.conf.substitutions.update_from_etc(base.conf.installroot)
    know_release(dnf, base)
    base.conf.cachedir = base.conf.system_cachedir
    base.conf.best = True
    base.conf.assumeyes = False
    base.conf.clean_requirements_on_remove = False
    base.init_plugins(disabled_glob=LEFT_OUT)
    base.pre_configure_plugins()
    base.read_all_repos()
    base.configure_plugins()
    for repo in base.repos.iter_enabled():
        repo.skip_if_unavailable = False
        if options.get("refresh"):
            repo._repo.expire()
        try:
            repo.load()
        except (dnf.exceptions.Error, OSError, RuntimeError) as error:
            raise Stop("refused", "metadata-refresh-failed", "%s: %s" % (repo.id, error)) from error
    base.fill_sack(load_system_repo=True, load_available_repos=True)
    return base


def candidates(base, approved):
    """The package of each approved item; Stop when another version is offered now."""
    found, gone = [], []
    for entry in approved:
        query = base.sack.query().available().filter(name=entry["name"], arch=entry["arch"])
        newest = list(query.latest())
        offered = sorted({evr(package) for package in newest})
        if offered != [entry["to"]]:
            gone.append("%s: approved %s, offered %s" % (
                entry["name"], entry["to"], ", ".join(offered) or "nothing"))
        else:
            found.append(newest[0])
    if gone:
        raise Stop("superseded", "candidate-changed", "; ".join(gone))
    return found


def resolve(dnf, base, packages, options):
    """Resolve exactly these upgrades; returns new names. Stop when anything else is touched."""
    for package in packages:
        base.package_upgrade(package)
    try:
        base.resolve()
    except dnf.exceptions.Error as error:
        raise Stop("refused", "cannot-resolve", str(error)) from error
    approved = {(p.name, p.arch, evr(p)) for p in packages}
    known = {(p.name, p.arch) for p in base.sack.query().installed()}
    allowed = set(options.get("allow_removals") or [])
    allowed_new = {(n["name"], n["arch"], n["version"]) for n in options.get("allow_new") or []}
    new, beyond, seen = [], [], set()
    for step in base.transaction:
        package = step.pkg
        if step.action in (dnf.transaction.PKG_UPGRADE, dnf.transaction.PKG_INSTALL):
            seen.add((package.name, package.arch, evr(package)))
            if (package.name, package.arch, evr(package)) in approved:
                continue
            if (package.name, package.arch) in known:
                beyond.append("would change %s to %s" % (package.name, evr(package)))
            elif (package.name, package.arch, evr(package)) in allowed_new:
                new.append(package.name)
            else:
                beyond.append("would install %s %s" % (package.name, evr(package)))
        elif step.action == dnf.transaction.PKG_UPGRADED:
            continue
        elif package.name not in allowed:
            beyond.append("would remove %s" % package.name)
    missing = sorted(name for name, _, _ in approved - seen)
    if missing:
        raise Stop("refused", "cannot-resolve", "dnf would not update %s" % ", ".join(missing))
    if beyond:
        raise Stop("refused", "beyond-approval", "; ".join(beyond))
    return new


def lend(package, expected, folder):
    """Put the file that the check staged where dnf looks for it, if it is the approved one."""
    target = package.localPkg()
    path = os.path.join(folder, os.path.basename(target))
    if expected and os.path.isfile(path) and checksum(path) == expected:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(path, target)


def fetch(base, approved, folder):
    """Download what the check has not staged and prove each file; Stop on any doubt."""
    packages = list(base.transaction.install_set)
    wanted = {(e["name"], e["arch"]): e["sha256"] for e in approved if e.get("sha256")}
    for package in packages:
        lend(package, wanted.get((package.name, package.arch)), folder)
    base.download_packages(packages)
    for package in packages:
        path = package.localPkg()
        expected = wanted.get((package.name, package.arch))
        if expected and checksum(path) != expected:
            os.unlink(path)  # nobody shall install it from the cache
            raise Stop("refused", "wrong-sha256", "%s is not the approved file" % path)
        if base.repos[package.reponame].gpgcheck:
            outcome, message = base.package_signature_check(package)
            if outcome:
                raise Stop("refused", "package-signature", "%s: %s" % (package, message))


def checksum(path):
    """SHA-256 of a file."""
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1024 * 1024), b""):
            total.update(block)
    return total.hexdigest()


def update(dnf, options):
    """Install exactly the approved versions; `plan_file` gets the new names before anything is."""
    base = open_base(dnf, options)
    packages = candidates(base, options["approved"])
    new = resolve(dnf, base, packages, options)
    try:
        fetch(base, options["approved"] + (options.get("allow_new") or []), options["staged"])
    except (dnf.exceptions.Error, OSError) as error:
        raise Stop("refused", "download-failed", str(error)) from error
    write_durably(options["plan_file"], new)
    outcome = dict(install(dnf, base), new=new)
    # For whoever comes after a worker that was killed while this process went on.
    write_durably(options["outcome_file"], outcome)
    return outcome


def write_durably(path, value):
    """Write JSON to a new file and have it on the disk."""
    with open(path, "w") as stream:
        json.dump(value, stream)
        stream.flush()
        os.fsync(stream.fileno())


def watcher(dnf):
    """A display for dnf's transaction: `trouble` holds what went wrong in it.

    dnf itself goes on after a script that failed or a package that could not be unpacked, raises
    nothing, and only tells its displays.
    """
    class Watcher(dnf.callback.TransactionProgress):
        def __init__(self):
            super(Watcher, self).__init__()
            self.trouble = []

        def error(self, message):
            self.trouble.append(str(message))

        def scriptout(self, msgs):
            text = msgs.decode("utf-8", "replace") if isinstance(msgs, bytes) else str(msgs or "")
            self.trouble += FAILED_SCRIPT.findall(text)
            sys.stderr.write(text)

    return Watcher()


def install(dnf, base):
    """Run the transaction; `failed` unless every package and every script of it ended well.

    `sound` says whether a failure was dnf's alone: rpm's part, scripts included, ended well.
    """
    import libdnf.transaction

    display, words = watcher(dnf), []
    try:
        base.do_transaction(display)
    except dnf.exceptions.Error as error:
        words = [str(error)]
    unfinished = [
        "%s was not finished" % step for step in base.transaction
        if step.state == libdnf.transaction.TransactionItemState_ERROR
    ]
    trouble = unfinished + display.trouble
    if trouble or words:
        return {"status": "failed", "code": "install-failed", "sound": not trouble,
                "message": "; ".join(words + trouble)}
    last = base.history.last()
    return {"status": "ok", "history": last.tid if last else 0}


def exactly(base, entries):
    """{key: package} of these very versions, as repositories carry them, and sentences on those
    that none carries."""
    found, missing = {}, []
    for entry in entries:
        query = base.sack.query().available().filter(name=entry["name"], arch=entry["arch"])
        match = [package for package in query if evr(package) == entry["version"]]
        if match:
            found[entry["key"]] = match[0]
        else:
            missing.append("%s %s" % (entry["name"], entry["version"]))
    return found, missing


def again(dnf, options):
    """Install versions that are there once more, so that their scripts run to their end."""
    base = open_base(dnf, options)
    found, missing = exactly(base, options["packages"])
    if missing:
        raise Stop("failed", "install-failed", "no repository carries %s" % ", ".join(missing))
    try:
        for package in found.values():
            base.package_reinstall(package)
        base.resolve()
        only_again(dnf, base)
        fetch(base, options["packages"], options["staged"])
    except (dnf.exceptions.Error, OSError) as error:
        raise Stop("failed", "install-failed", str(error)) from error
    return install(dnf, base)


def only_again(dnf, base):
    """Stop when the transaction would do more than install again what is there."""
    mine = (dnf.transaction.PKG_REINSTALL, dnf.transaction.PKG_REINSTALLED)
    beyond = ["%s %s" % (dnf.transaction.ACTIONS.get(step.action), step)
              for step in base.transaction if step.action not in mine]
    if beyond:
        raise Stop("failed", "install-failed", "dnf would do more: %s" % "; ".join(beyond))


def keep(dnf, options):
    """Download the installed versions of some packages into a folder: {key: file name}."""
    base = open_base(dnf, options)
    found, missing = exactly(base, options["packages"])
    if missing:
        raise Stop("refused", "no-source", "no repository carries %s" % ", ".join(missing))
    if found:
        base.download_packages(list(found.values()))
    files = {}
    for key, package in found.items():
        path = package.localPkg()
        files[key] = os.path.basename(path)
        shutil.copy(path, os.path.join(options["folder"], files[key]))
    return {"status": "ok", "files": files}


def main(options):
    """Carry out `options["action"]`; every expected end is a dict with `status`."""
    import dnf
    import dnf.callback
    import dnf.transaction

    try:
        return {"update": update, "again": again, "keep": keep}[options["action"]](dnf, options)
    except Stop as stop:
        return {"status": stop.status, "code": stop.code, "message": str(stop)}


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
