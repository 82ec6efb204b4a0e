"""The stable codes of what `check` and `test` find, each with what to do next (SOP steps 2 and 8).

docs/reference/findings.md describes every code; a test compares the two.
"""

HINTS = {
    # check: the list would not be trustworthy
    "bad-option": "Correct the role's variable in the inventory; the message names it.",
    "no-package-manager": "Only hosts with apt, dnf or zypper can be kept up to date with sop-run.",
    "metadata-refresh-failed": (
        "Look at the named source on the host (/etc/apt/sources.list*, /etc/yum.repos.d, "
        "/etc/zypp/repos.d), its key and the way to it, then check again."
    ),
    "pending-list-failed": (
        "Run `apt-get -s dist-upgrade`, `dnf check-update` or `zypper update --dry-run` on the "
        "host; finish or repair what it names."
    ),
    # check: the list is good, but an officer should know
    "metadata-warning": "Correct the named source on the host when it is convenient.",
    "repository-unsigned": (
        "Give the source a key and signature checks (Signed-By, gpgcheck=1); take trusted=yes and "
        "allow-insecure=yes away."
    ),
    "packages-without-source": (
        "No source offers these packages, so they get no security updates: remove them, or add "
        "the source that they came from."
    ),
    "advisories-unavailable": (
        "An empty list of CVEs says nothing for these packages. Let the host reach the changelog "
        "service of its mirror, or set check_advisories to false."
    ),
    "release-end-of-life": (
        "Plan the upgrade to a supported release now; updates of this one have ended."
    ),
    "release-near-end-of-life": "Plan the upgrade to the next release before that day.",
    "half-configured": "Run `dpkg --configure -a` on the host.",
    "restart-pending": (
        "Restart these services, or the host: they still run what an earlier update replaced."
    ),
    "clock-off": "Set the clocks (timedatectl, chrony); signatures and logs depend on them.",
    "clock-unsynchronized": "Set up and start a time service: chrony or systemd-timesyncd.",
    "staging-failed": (
        "Look at the named source; the update downloads what is missing, and installs only what "
        "has the approved SHA-256. check_stage: false turns staging off."
    ),
    "disk-low": "Make room before the update; the backup refuses a host that is too full.",
    "no-antivirus": "Install one, for example: apt-get install clamav-daemon clamav-freshclam.",
    "antivirus-inactive": "Run `systemctl status clamav-daemon` on the host; it needs main and "
                          "daily.",
    "antivirus-database-old": (
        "Run `freshclam` on the host and look at its log; start clamav-freshclam if it is off."
    ),
    "antivirus-unreadable": "Run the check with become, or allow reading it; look at `version`.",
    "antivirus-mirror-failed": (
        "Look at PrivateMirror and DatabaseMirror in freshclam.conf, or at the command `latest`, "
        "and the way to it."
    ),
    "bad-antivirus-command": "Correct antivirus_method and antivirus_command in the inventory.",
    # check and test
    "bad-check": "Correct test_checks in the inventory.",
    # doctor
    "not-root": "Set ansible_become: true, or connect as root.",
    "no-backup": "Without a proven backup nothing is updated; see backup_method.",
    "untested-backup": "Try it on a guest that nobody needs, or choose another backup_method.",
    # test
    "no-baseline": "A baseline is taken by the backup phase.",
    "test-failed": "The host does not work as before the update.",
}


def told(answer, code, message):
    """Record a finding that leaves the status as it is."""
    answer.problem(code, message, HINTS[code])


def decided(answer, status, code, message):
    """Record a finding that decides the status."""
    answer.stop(status, code, message, HINTS[code])
