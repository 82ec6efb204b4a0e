"""What an update of exactly the planned items would do, asked of the package manager (SOP step 2).

Nothing is downloaded but metadata into a temporary folder, and nothing is installed: it works as
the check does, with the same private workspace. `Simulation` holds rows {name, arch, from, to}.
"""

import shutil
import tempfile

from hostside import apt, aptlists, baseline, dnf, hostinfo, sideeffects, zypp, zypper


class Simulation:
    """`upgrades` and `new` are rows {name, arch, from, to}, `removals` names, `unkept` sentences
    on installed versions that the back end `packages` could not keep."""

    def __init__(self, upgrades, new, removals, unkept=()):
        self.upgrades = upgrades
        self.new = new
        self.removals = removals
        self.unkept = list(unkept)

    def fact(self):
        """As the contract wants it."""
        return {"upgrades": self.upgrades, "new": self.new, "removals": sorted(self.removals)}


def ask(items, refresh):
    """The Simulation of updating these items; `refresh` is private, system or none.

    After `system` the host's own metadata are fresh already: the check has seen to that. Raises
    ValueError in the package manager's words when it cannot tell.
    """
    with_folder = {"dnf": ask_dnf, "zypper": ask_zypper}
    manager = hostinfo.package_manager()
    if manager == "apt":
        return ask_apt(items, refresh)
    folder = tempfile.mkdtemp(prefix="sop-run-rehearse-", dir="/var/tmp")
    try:
        return with_folder[manager](items, refresh, folder)
    except OSError as error:
        raise ValueError(str(error)) from None
    finally:
        shutil.rmtree(folder)


def ask_apt(items, refresh):
    """apt-get -s, in the check's workspace."""
    names = [baseline.package_key(item) for item in items]
    try:
        with aptlists.Workspace(private_lists=refresh == "private") as workspace:
            if refresh == "private":
                aptlists.refresh_private(workspace)
            else:
                aptlists.require_lists(workspace.lists)
            result = workspace.run(
                ["apt-get", "-q", "-s", "-o", "APT::Get::AutomaticRemove=false",
                 "install", "--only-upgrade", *names], timeout=300)
    except aptlists.MetadataError as error:
        raise ValueError(str(error)) from None
    if not result.ok:
        raise ValueError(result.tail(8))
    upgrades, new, removals, _, _ = apt.parse_simulation(result.out)
    return Simulation([plain(row) for row in upgrades], [plain(row) for row in new], removals)


def plain(row):
    """A row of apt's simulation by the contract."""
    return {"name": row["name"].split(":", 1)[0], "arch": row["arch"],
            "from": row["from"], "to": row["to"]}


def ask_dnf(items, refresh, folder):
    """dnf resolves the upgrade of these packages and goes no further."""
    answer = dnf.ask({
        "refresh": "none" if refresh == "system" else refresh, "folder": folder,
        "only": [[item["name"], item.get("arch", ""), item["to"]] for item in items],
    })
    if answer["causes"]:
        raise ValueError("; ".join(answer["causes"]))
    return Simulation(
        [{key: row[key] for key in ("name", "arch", "from", "to")} for row in answer["upgrades"]],
        [{"name": row["name"], "arch": row["arch"], "from": "", "to": row["version"]}
         for row in answer["new"]],
        answer["removals"], answer["unkept"])


def ask_zypper(items, refresh, folder):
    """zypper --dry-run, with a cache of its own."""
    asker = zypper.Asker(refresh, folder)
    if refresh == "private":
        causes = asker.refresh()
        if causes:
            raise ValueError("; ".join(causes))
    names = ["%s.%s" % (i["name"], i["arch"]) if i.get("arch") else i["name"] for i in items]
    found = zypp.changes(asker.ask(*zypper.SIMULATE, *names))
    known = baseline.installed()
    rows = zypp.incoming(found)
    upgrades = [row for row in rows if baseline.package_key(row) in known]
    return Simulation(
        upgrades, [dict(row, **{"from": ""}) for row in rows if row not in upgrades],
        [row["name"] for row in found.get("to-remove", [])])


def judged(items, simulation, options):
    """(status, code, message, names that are not offered any more) of a Simulation: would the
    update of these items be done, and would it stay within what was put forward?"""
    offered = {baseline.package_key(row): row["to"] for row in simulation.upgrades}
    keys = {baseline.package_key(item): item["to"] for item in items}
    now = baseline.installed()
    gone = {
        key: "%s: planned %s, offered %s" % (key, version, offered.get(key, "nothing"))
        for key, version in sorted(keys.items())
        if offered.get(key) != version and now.get(key) != version
    }
    if gone:
        return "superseded", "candidate-changed", "; ".join(gone.values()), set(gone)
    new = sorted((baseline.package_key(row), row["to"]) for row in simulation.new)
    beyond = sideeffects.beyond(options, new, sorted(simulation.removals))
    beyond += ["would change %s" % name for name in sorted(set(offered) - set(keys))]
    if beyond:
        return "refused", "beyond-approval", "; ".join(beyond), set()
    return "ok", "", "", set()
