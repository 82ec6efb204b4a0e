"""The pure parts of changing a host: parsers, predicates and decisions."""

from __future__ import annotations

import pytest

from hostside import (
    aptchange,
    aptstage,
    btrfs,
    dnfwriter,
    keeprpm,
    packagelock,
    preflight,
    repack,
    services,
    state,
    systemtree,
    transaction,
    update,
)

DPKG_LOG = """\
Setting up lab-conf (1.1) ...

Configuration file '/etc/lab-conf.conf'
 ==> Modified (by you or by a script) since installation.
 ==> Package distributor has shipped an updated version.
 ==> Keeping old config file as default.
Configuration file '/etc/other.conf'
 ==> File on system created by you or by a script.
Installing new version of config file /etc/third.conf ...
"""
LOCKS = """\
1: POSIX  ADVISORY  WRITE 4711 00:1f:257 0 EOF
1: -> POSIX  ADVISORY  WRITE 815 00:1f:257 0 EOF
2: FLOCK  ADVISORY  WRITE 99 08:01:1257 0 EOF
3: POSIX  ADVISORY  WRITE 0 00:1f:257 0 EOF
"""
MOUNTS = """\
22 1 0:20 /a / rw - overlay overlay rw
36 22 0:30 /host / rw,relatime shared:1 - btrfs /dev/loop0 rw,subvolid=260
37 36 0:31 / /proc rw - proc proc rw
"""
MAPS = """\
7f0000-7f1000 r-xp 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)
"""
STATUS = """\
Package: lab-conf
Status: install ok installed
Conffiles:
 /etc/lab-conf.conf d41d8cd98f00b204e9800998ecf8427e
Version: 1.0
Description: short
 long line
"""


def test_kept_conffiles() -> None:
    assert aptchange.kept_conffiles(DPKG_LOG) == ["/etc/lab-conf.conf"]
    assert aptchange.kept_conffiles("") == []


def test_lock_holders_without_waiters_and_strangers() -> None:
    assert packagelock.parse_locks(LOCKS, 257) == {4711}
    assert packagelock.describe([("/x/lock", 0)]) == "an unknown process holds /x/lock"
    assert packagelock.describe([]) == ""


def test_root_file_system_is_the_last_mount() -> None:
    assert btrfs.root_type(MOUNTS) == "btrfs"
    assert btrfs.root_type("") == ""


@pytest.mark.parametrize("name", ["../x", "sop-run-1", "sop-run-" + "a" * 33, "", "root"])
def test_only_own_backups_have_a_place(name: str) -> None:
    with pytest.raises(ValueError, match="no backup of sop-run"):
        btrfs.BACKEND.location(name)


def test_what_goes_back() -> None:
    wanted = systemtree.system_path({"opt/tool", "opt/tool/bin"})
    assert wanted("usr/bin/web")
    assert wanted("opt/tool/bin")
    assert not wanted("opt/data/records")
    assert not wanted("usr/local")
    assert not wanted("etc/resolv.conf")


@pytest.mark.parametrize(
    "path",
    [
        "home",
        "srv",
        "root",
        "var/log",
        "var/lib",
        "var/lib/mysql",
        "var/lib/sop-run",
        "var/www",
        "var/lib/clamav",
    ],
)
def test_data_never_goes_back(path: str) -> None:
    assert path not in systemtree.SYSTEM
    assert not any(path.startswith(start + "/") for start in systemtree.SYSTEM)


def test_space_needed() -> None:
    needed = preflight.needs([{"name": "linux-image-6.1", "size": 1000}, {"name": "x"}], 1)
    assert needed == {
        "/": 3500 + preflight.MB,
        "/var": 1000 + preflight.MB,
        "/boot": 150 * preflight.MB,
    }


@pytest.mark.parametrize("word", ["-oDebug=1", "--purge", "a b", "$(id)", "../x", "", "a\n"])
def test_items_are_never_options(word: str) -> None:
    item = {"class": "system", "name": "lab-web", "arch": "all", "from": "1:1.0~rc1", "to": "1.1^2"}
    assert preflight.malformed([item]) is None
    for key in ("name", "from", "to"):
        reason = preflight.malformed([dict(item, **{key: word})])
        assert reason is not None
        assert reason[0] == "bad-item"
    assert preflight.malformed([], [word]) is not None
    assert (
        preflight.malformed([dict(item, **{"class": "antivirus", "name": "clamav-db (x)"})]) is None
    )


def test_clock_is_checked_only_when_given() -> None:
    assert preflight.clock(None, 300) is None
    assert preflight.clock(-300, 300) is None
    reason = preflight.clock(-301, 300)
    assert reason is not None
    assert reason[0] == "clock-off"


def test_services_of_processes() -> None:
    v2 = "0::/system.slice/lab-web.service\n"
    templated = "1:name=systemd:/system.slice/system-getty.slice/getty@tty1.service\n"
    assert services.parse_cgroup(v2) == "lab-web.service"
    assert services.parse_cgroup(templated) == "getty@tty1.service"
    assert services.parse_cgroup("0::/user.slice/user-0.slice/session-1.scope\n") == ""


def test_deleted_code_counts_deleted_data_does_not() -> None:
    assert services.runs_deleted_code(MAPS)
    assert not services.runs_deleted_code(MAPS.replace("r-xp", "r--p"))
    assert not services.runs_deleted_code(MAPS.replace("/usr/lib", "/dev/shm"))
    assert not services.runs_deleted_code(MAPS.replace(" (deleted)", ""))


def test_spared_services_are_named_not_restarted() -> None:
    units = ["dbus.service", "lab-web.service", "sop-run-ab.service", "ssh.service"]
    assert services.split_spared(units) == (["lab-web.service", "ssh.service"], ["dbus.service"])


def test_units_among_paths() -> None:
    paths = [
        "/lib/systemd/system/a.service",
        "/usr/lib/systemd/system/b@.service",
        "/etc/systemd/system/c.service.d/x.conf",
        "/usr/bin/a",
        "/lib/systemd/system/d.timer",
    ]
    assert services.units_among(paths) == ["a.service"]


def test_control_text_leaves_dpkgs_own_fields_out() -> None:
    assert repack.control_text(STATUS) == (
        "Package: lab-conf\nVersion: 1.0\nDescription: short\n long line\n"
    )
    assert aptstage.file_name("x", "1:2.0-1", "amd64") == "x_1%3a2.0-1_amd64.deb"


def test_what_apt_says_of_versions_without_a_source() -> None:
    messages = (
        "E: Version '1.0' for 'lab-web' was not found\nE: Unable to locate package lab-gone\n"
    )
    other = "E: Can't find a source to download version '1.0' of 'lab-api:amd64'\n"
    assert repack.NO_SOURCE.findall(messages) == ["lab-web", "lab-gone"]
    assert repack.gone(other, {"lab-api": "1.0", "x": "2"}) == {"lab-api"}


def test_rpm_identity() -> None:
    assert keeprpm.identity("a\t(none)\t1-1.el9\tnoarch") == ("a", "1-1.el9", "noarch")
    assert keeprpm.identity("a\t2\t1-1.el9\tx86_64") == ("a", "2:1-1.el9", "x86_64")


def test_changed_packages_name_new_and_removed_ones() -> None:
    before, after = {"a": "1", "b": "1", "c": "1"}, {"a": "2", "b": "1", "d": "1"}
    assert update.changed_packages(before, after) == {
        "a": ["1", "2"],
        "c": ["1", ""],
        "d": ["", "1"],
    }


@pytest.mark.parametrize("name", ["x; rm", "sop-run-$(id)", "a/b", ""])
def test_unit_names_are_plain(name: str) -> None:
    with pytest.raises(ValueError, match="no unit name"):
        transaction.systemd_run(name)


@pytest.mark.parametrize("name", ["", "../../etc", "A" * 32, "a" * 31, "a" * 32 + "\n"])
def test_transaction_ids_are_no_paths(name: str) -> None:
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        state.folder(name)


def test_dnf_writer_stands_alone() -> None:
    """It is passed as text to dnf's own interpreter."""
    source = dnfwriter.__loader__.get_source(dnfwriter.__name__)  # type: ignore[union-attr]
    assert "hostside" not in source.split('"""', 2)[2]
