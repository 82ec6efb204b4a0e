"""Asks dnf through its own Python library; runs as a process of its own, under dnf's interpreter.

One process gives what five dnf commands would: upgrades with checksums and sizes, the transaction
they would make, advisories with severity and CVEs. It prints one JSON object. Its text is passed
with `-c`, so it imports nothing of this project.
"""

import json
import os
import sys
import time

# Plugins that would write to the host or change what a transaction is.
LEFT_OUT = ("local", "snapper", "etckeeper", "subscription-manager", "product-id",
            "upload-profile", "system_upgrade", "needs_restarting")
SEVERITIES = ("none", "low", "moderate", "important", "critical")


def evr(package):
    """`epoch:version-release`, without an epoch of 0, as rpm and dnf write it."""
    text = "%s-%s" % (package.version, package.release)
    return "%d:%s" % (package.epoch, text) if package.epoch else text


def know_release(dnf, base):
    """Ask the rpm database once more which release this is, where it did not tell at first.

    It tells nothing while another process has just opened it anew (seen under heavy load); dnf then
    fails with a TypeError of its C++ part. Raises RuntimeError after some seconds.
    """
    known = base.conf.substitutions
    for _ in range(10):
        if known.get("releasever"):
            return
        time.sleep(0.5)
        known["releasever"] = dnf.rpm.detect_releasever(base.conf.installroot)
    raise RuntimeError("the release cannot be told: no installed package provides system-release")


def open_base(dnf, options):
    """dnf's Base with the host's configuration and repositories.

    Logs, the history's lock files and an ordinary user's cache go to the temporary folder.
    """
    dnf.yum.misc.getCacheDir = lambda *_, **__: options["folder"]
    base = dnf.Base()
    base.conf.read()
    base.conf.logdir = base.conf.persistdir = options["folder"]
    if options.get("installroot"):
        base.conf.installroot = options["installroot"]
    base.conf.substitutions.update_from_etc(base.conf.installroot)
    know_release(dnf, base)
    private = options["refresh"] == "private"
    base.conf.cachedir = options["folder"] if private else base.conf.system_cachedir
    if options["refresh"] == "none":
        base.conf.cacheonly = True
    base.conf.best = False
    base.conf.assumeyes = False
    base.init_plugins(disabled_glob=LEFT_OUT)
    base.pre_configure_plugins()
    base.read_all_repos()
    base.configure_plugins()
    return base


def load_repositories(dnf, base, refresh):
    """Loads every enabled repository; returns [causes], one per repository that failed."""
    causes = []
    for repo in base.repos.iter_enabled():
        repo.skip_if_unavailable = False
        if refresh == "system":
            repo._repo.expire()
        try:
            repo.load()
        except (dnf.exceptions.Error, OSError, RuntimeError) as error:
            causes.append("%s: %s" % (repo.id, error))
    return causes


def unsigned(base):
    """Enabled repositories whose packages nobody's signature proves."""
    return sorted(r.id for r in base.repos.iter_enabled() if not (r.gpgcheck or r.repo_gpgcheck))


def advisories_of(hawkey, installed):
    """{ids, cves, severity, security, reboot} of all advisories newer than an installed package."""
    found = {"ids": [], "cves": [], "severity": "", "security": False, "reboot": False}
    rank = -1
    for advisory in installed.get_advisories(hawkey.GT):
        found["ids"].append(advisory.id)
        found["security"] |= advisory.type == hawkey.ADVISORY_SECURITY
        found["cves"] += [r.id for r in advisory.references if r.type == hawkey.REFERENCE_CVE]
        found["reboot"] |= any(
            getattr(p, "reboot_suggested", False) for p in advisory.packages
            if p.name == installed.name
        )
        word = (advisory.severity or "").lower()
        if word in SEVERITIES and SEVERITIES.index(word) > rank:
            rank = SEVERITIES.index(word)
            found["severity"] = advisory.severity if rank > 0 else ""
    found["ids"] = sorted(set(found["ids"]))
    found["cves"] = sorted(set(found["cves"]))
    return found


def newest_installed(hawkey, base):
    """{(name, arch): package}, the newest one where several versions may be installed.

    Excludes are left aside: they hide installed packages, too.
    """
    query = base.sack.query(flags=hawkey.IGNORE_EXCLUDES)
    return {(p.name, p.arch): p for p in query.installed().latest()}


def describe(hawkey, package, before):
    """One upgrade as a plain dict."""
    kind, digest = package.returnIdSum() or ("", "")
    return {
        "name": package.name, "arch": package.arch, "from": evr(before), "to": evr(package),
        "repo": package.reponame, "size": package.downloadsize,
        "sha256": digest if kind == "sha256" else "", "advisories": advisories_of(hawkey, before),
        "file": file_of(package),
    }


def fresh(package):
    """A package that the upgrade brings anew, as a plain dict."""
    kind, digest = package.returnIdSum() or ("", "")
    return {
        "name": package.name, "arch": package.arch, "version": evr(package),
        "size": package.downloadsize, "sha256": digest if kind == "sha256" else "",
        "file": file_of(package),
    }


def file_of(package):
    """Name of the package's file."""
    return os.path.basename(package.localPkg())


def stage(dnf, base, packages, wanted):
    """Download packages into `wanted["folder"]` and check their signatures.

    Returns what went wrong, or "". `wanted["room"]`: bytes that may be used.
    """
    size = sum(package.downloadsize for package in packages)
    if size > wanted["room"]:
        return "%d bytes are needed, %d may be used" % (size, max(0, wanted["room"]))
    for repo in base.repos.iter_enabled():
        repo.pkgdir = wanted["folder"]
    try:
        if packages:
            base.download_packages(packages)
    except (dnf.exceptions.Error, OSError) as error:
        return str(error)
    for package in packages:
        if base.repos[package.reponame].gpgcheck:
            outcome, message = base.package_signature_check(package)
            if outcome:
                return "%s: %s" % (package, message)
    return ""


def simulate(dnf, base, only=None):
    """(incoming packages, removed names) of an upgrade that is never carried out.

    `only`: [name, arch, version] of the packages to upgrade; None for a full upgrade.
    """
    if only is None:
        base.upgrade_all()
    else:
        base.conf.best = True
        for package in exactly(base, only):
            base.package_upgrade(package)
    base.resolve()
    incoming, removed = [], []
    for step in base.transaction:
        if step.action in (dnf.transaction.PKG_UPGRADE, dnf.transaction.PKG_INSTALL):
            incoming.append(step.pkg)
        elif step.action in (dnf.transaction.PKG_REMOVE, dnf.transaction.PKG_OBSOLETED):
            removed.append(step.pkg.name)
    return incoming, removed


def exactly(base, only):
    """The packages of these versions that repositories offer as an upgrade now."""
    found = []
    for name, arch, version in only:
        query = base.sack.query().upgrades().latest().filter(name=name)
        if arch:
            query = query.filter(arch=arch)
        found += [package for package in query if evr(package) == version][:1]
    return found


def unkept(base, only, known):
    """Sentences on installed versions that no repository carries: no .rpm of them can be kept."""
    found = []
    for name, arch, _ in only:
        before = known.get((name, arch))
        if before is not None and not [
                p for p in base.sack.query().available().filter(name=name, arch=arch)
                if evr(p) == evr(before)]:
            found.append("no repository carries %s %s" % (name, evr(before)))
    return found


def withheld(hawkey, base, taken, known):
    """Upgrades that exist but are not taken: `held` by an exclude or lock, else `kept-back`."""
    visible = {p.pkgtup for p in base.sack.query()}
    found = []
    for package in base.sack.query(flags=hawkey.IGNORE_EXCLUDES).upgrades().latest():
        identity = (package.name, package.arch)
        if identity in known and identity not in taken:
            found.append({
                "name": package.name, "from": evr(known[identity]), "to": evr(package),
                "reason": "kept-back" if package.pkgtup in visible else "held",
            })
    return sorted(found, key=lambda row: row["name"])


def without_source(hawkey, base):
    """Names of installed packages that no enabled repository offers in any version."""
    query = base.sack.query(flags=hawkey.IGNORE_EXCLUDES)
    offered = {(p.name, p.arch) for p in query.available()}
    installed = {(p.name, p.arch) for p in query.installed() if p.name != "gpg-pubkey"}
    return sorted({name for name, _ in installed - offered})


def read(dnf, hawkey, options):
    """Everything as one dict; `causes` is not empty when the metadata cannot be trusted."""
    base = open_base(dnf, options)
    causes = load_repositories(dnf, base, options["refresh"])
    if causes:
        return {"causes": causes}
    base.fill_sack(load_system_repo=True, load_available_repos=True)
    known = newest_installed(hawkey, base)
    only = options.get("only")
    incoming, removed = simulate(dnf, base, only)
    upgrades = [p for p in incoming if (p.name, p.arch) in known]
    taken = {(p.name, p.arch) for p in upgrades}
    return {
        "causes": [],
        "upgrades": [
            describe(hawkey, p, known[p.name, p.arch])
            for p in sorted(upgrades, key=lambda p: (p.name, p.arch))
        ],
        "new": [
            fresh(p) for p in sorted(incoming, key=lambda p: (p.name, p.arch))
            if (p.name, p.arch) not in known
        ],
        "staging": stage(dnf, base, incoming, options["stage"]) if options.get("stage") else "",
        "removals": sorted(removed),
        "withheld": withheld(hawkey, base, taken, known),
        "unkept": unkept(base, only, known) if only is not None else [],
        "unsigned": unsigned(base),
        "without_source": without_source(hawkey, base),
        "installed": len(known),
    }


def answer(options):
    """What was read, or `{error}` with what dnf says."""
    import dnf
    import dnf.transaction
    import dnf.yum.misc
    import hawkey

    try:
        return read(dnf, hawkey, options)
    except (dnf.exceptions.Error, hawkey.Exception, OSError, RuntimeError) as error:
        return {"error": "%s: %s" % (type(error).__name__, error)}


if __name__ == "__main__":
    print("\n" + json.dumps(answer(json.loads(sys.argv[1]))))
