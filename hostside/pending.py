"""What a package manager says is pending: the same shape for apt and dnf (SOP step 2)."""

from hostside.findings import HINTS


class Pending:
    """Items and what surrounds them; `failed` when the list cannot be trusted."""

    def __init__(self):
        self.items = []
        self.withheld = []  # {name, from, to, reason}
        self.new_packages = []  # {name, arch, version, size, sha256}
        self.removals = []  # names
        self.without_source = None  # names of installed packages that no source offers, or unknown
        self.installed = 0  # how many packages are installed, where `without_source` is known
        self.advisories = None  # {asked, read, missing, reason} of changelogs, where they are used
        self.staged = None  # facts.staged; None when nothing was to be staged
        self.problems = []  # (code, message, hint)
        self.failed = False

    def fail(self, code, message):
        """Record what makes the list unreliable, before what is only remarked."""
        if self.failed:
            self.note(code, message)
        else:
            self.failed = True
            self.problems.insert(0, (code, message, HINTS[code]))

    def note(self, code, message):
        """Record a finding that leaves the list reliable."""
        self.problems.append((code, message, HINTS[code]))


def item(kind, name, arch, before, after):
    """One pending item with every key of the contract; the caller fills in what it knows."""
    return {
        "class": kind, "name": name, "arch": arch, "from": before, "to": after, "source": "",
        "size": 0, "sha256": "", "severity": "", "advisories": [], "reboot": False,
    }
