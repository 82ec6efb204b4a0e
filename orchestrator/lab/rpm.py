"""The lab's RPM packages and advisories, as data.

RPM hosts are an imitation: real dnf, zypper and rpm from Debian in roots that give themselves out
as an Enterprise Linux 9 or a SUSE Linux Enterprise Server 15. What they prove is that these paths
work, not that RHEL or SLES does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.lab.packages import service_files, start_script


@dataclass(frozen=True)
class RpmPackage:
    """A tiny noarch package; `files` maps paths to their text."""

    name: str
    version: str
    repository: str  # baseos (the old versions) or updates
    files: dict[str, str] = field(default_factory=dict)
    post: str = ""
    provides: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    epoch: int = 0
    posttrans: str = ""

    @property
    def file_name(self) -> str:
        """Name of the package file."""
        return f"{self.name}-{self.version}-1.lab.noarch.rpm"


@dataclass(frozen=True)
class Advisory:
    """An entry of updateinfo: what an update is about."""

    id: str
    kind: str  # security or bugfix
    severity: str
    package: str
    version: str
    cve: str = ""
    reboot: bool = False


def _service(name: str, port: int, version: str, repository: str, fault: str = "") -> RpmPackage:
    files = service_files(name, port, version, fault)
    return RpmPackage(name, version, repository, files, start_script(name))


_FAULT = 'sys.exit("rlab-api 2.0: cannot read /etc/rlab-api.conf")'
_RELEASE = "Rocky Linux release 9.4 (lab imitation)\n"
_SUSE_RELEASE = "SUSE Linux Enterprise Server 15.7 (lab imitation)\n"
_SHELL = ("/bin/sh", "/usr/bin/sh")
# What SUSE's kernels provide: versions stay side by side, and a restart is wanted.
_KERNEL = ("multiversion(kernel)", "installhint(reboot-needed)")
_SLOW = "if [ -e /run/lab-slow ]; then rm /run/lab-slow; sleep 60; fi\ntouch /run/lab-done\n"
_SCRIPT = 'echo "rlab-script 1.1: migration failed" >&2\nexit 1\n'

RPM_PACKAGES = (
    RpmPackage(
        "lab-release",
        "9.4",
        "baseos",
        {"/etc/lab/release": _RELEASE},
        provides=("system-release = 9.4", *_SHELL),
    ),
    RpmPackage(
        "lab-release-suse",
        "15.7",
        "baseos",
        {"/etc/lab/release": _SUSE_RELEASE},
        provides=("distribution-release = 15.7", *_SHELL),
    ),
    _service("rlab-web", 8090, "1.0", "baseos"),
    _service("rlab-web", 8090, "1.1", "updates"),
    _service("rlab-api", 8091, "1.0", "baseos"),
    _service("rlab-api", 8091, "2.0", "updates", _FAULT),
    RpmPackage("rlab-tool", "1.0", "baseos", {"/usr/share/rlab-tool/version": "1.0\n"}),
    RpmPackage("rlab-tool", "1.1", "updates", {"/usr/share/rlab-tool/version": "1.1\n"}),
    RpmPackage("rlab-kernel", "6.1", "baseos", {"/boot/rlab-kernel-6.1": "6.1\n"}, "", _KERNEL),
    RpmPackage("rlab-kernel", "6.2", "updates", {"/boot/rlab-kernel-6.2": "6.2\n"}, "", _KERNEL),
    RpmPackage("rlab-script", "1.0", "baseos", {"/usr/share/rlab-script": "1.0\n"}),
    RpmPackage("rlab-script", "1.1", "updates", {"/usr/share/rlab-script": "1.1\n"}, _SCRIPT),
    RpmPackage("rlab-more", "1.0", "baseos", {"/usr/share/rlab-more": "1.0\n"}),
    RpmPackage(
        "rlab-more",
        "1.1",
        "updates",
        {"/usr/share/rlab-more": "1.1\n"},
        _SLOW,
        requires=("rlab-new", "rlab-tool >= 1.1"),
    ),
    RpmPackage("rlab-new", "1.0", "updates", {"/usr/share/rlab-new": "1.0\n"}),
)
ADVISORIES = (
    Advisory("LABSA-2026:0001", "security", "Important", "rlab-web", "1.1", "CVE-2026-0001"),
    Advisory("LABSA-2026:0002", "security", "Critical", "rlab-api", "2.0", "CVE-2026-0002"),
    Advisory("LABBA-2026:0003", "bugfix", "None", "rlab-tool", "1.1"),
    Advisory(
        "LABSA-2026:0004", "security", "Moderate", "rlab-kernel", "6.2", "CVE-2026-0004", True
    ),
)


def rpm_package(name: str, version: str) -> RpmPackage:
    """The package of that name and version; KeyError when there is none."""
    return {(p.name, p.version): p for p in RPM_PACKAGES}[(name, version)]


def spec(package: RpmPackage) -> str:
    """The package's spec file; its files are taken from %{_sourcedir}."""
    relations = "".join(f"Provides: {name}\n" for name in package.provides)
    relations += "".join(f"Requires: {name}\n" for name in package.requires)
    copies = "".join(
        f"install -D -p -m {mode(path)} %{{_sourcedir}}{path} %{{buildroot}}{path}\n"
        for path in package.files
    )
    scripts = f"%post\n{package.post}\n" if package.post else ""
    scripts += f"%posttrans\n{package.posttrans}\n" if package.posttrans else ""
    epoch = f"Epoch: {package.epoch}\n" if package.epoch else ""
    return (
        f"Name: {package.name}\n{epoch}Version: {package.version}\nRelease: 1.lab\n"
        f"Summary: test package {package.name}\nLicense: GPL-3.0-or-later\nBuildArch: noarch\n"
        f"AutoReqProv: no\n{relations}\n%description\ntest package {package.name}\n"
        f"%install\n{copies}%files\n" + "".join(f"{path}\n" for path in package.files) + scripts
    )


def mode(path: str) -> str:
    """Permission bits of a packaged file."""
    return "0755" if path.startswith("/usr/bin/") else "0644"


def updateinfo() -> str:
    """The advisories as updateinfo.xml."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "<updates>"]
    for item in ADVISORIES:
        name = f"{item.package}-{item.version}-1.lab"
        reference = (
            f'<reference href="urn:lab:{item.cve}" id="{item.cve}" type="cve" title="{item.cve}"/>'
            if item.cve
            else ""
        )
        flags = "<reboot_suggested>True</reboot_suggested>" if item.reboot else ""
        parts.append(
            f'<update from="{"lab@example.test"}" status="final" type="{item.kind}" version="1">'
            f"<id>{item.id}</id><title>{item.package} update</title>"
            '<issued date="2026-11-10 00:00:00"/><updated date="2026-11-10 00:00:00"/>'
            f"<severity>{item.severity}</severity><summary>{item.package}</summary>"
            f"<description>{item.package} {item.version}</description>"
            f"<references>{reference}</references>"
            '<pkglist><collection short="lab"><name>lab</name>'
            f'<package name="{item.package}" version="{item.version}" release="1.lab" epoch="0" '
            f'arch="noarch" src="{name}.src.rpm"><filename>{name}.noarch.rpm</filename>{flags}'
            "</package></collection></pkglist></update>"
        )
    return "\n".join([*parts, "</updates>\n"])
