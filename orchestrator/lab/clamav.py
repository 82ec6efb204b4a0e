"""The private antivirus mirror, and what makes a host use it.

ClamAV's source package carries test databases under ClamAV's real signature (versions 1 to 6).
Hosts start with version 1 and the mirror offers 6, so freshclam does a real, verified update
without the 200 MB of the public databases.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.lab.apt import Downloader
from orchestrator.lab.process import run
from orchestrator.lab.recipe import WEB
from orchestrator.lab.root import write
from orchestrator.lab.sources import Source
from orchestrator.model.errors import CannotRunError

OLD, NEW = 1, 6
DATABASES = ("main.cvd", "daily.cvd")
FRESHCLAM = f"""DatabaseDirectory /var/lib/clamav
UpdateLogFile /var/log/clamav/freshclam.log
LogTime yes
DatabaseOwner clamav
ScriptedUpdates no
ExcludeDatabase bytecode
DatabaseMirror {WEB}/antivirus
NotifyClamd /etc/clamav/clamd.conf
"""


def fetch_databases(folder: Path, work: Path, sources: tuple[Source, ...]) -> None:
    """Write test-1.cvd … test-6.cvd to `folder`, out of the newest ClamAV source package.

    Raises CannotRunError when the package does not carry them.
    """
    apt = Downloader(work, sources, types="deb-src")
    apt.update()
    package = apt.source_package("clamav")
    archives = sorted(package.glob("clamav_*.orig.tar.*"))
    archives = [path for path in archives if not path.name.endswith(".asc")]
    if len(archives) != 1:
        raise CannotRunError("lab: the source package of ClamAV has no single original archive")
    folder.mkdir(parents=True)
    unpack = ["tar", "--extract", "--no-same-owner", "--strip-components=4"]
    pattern = "*/unit_tests/input/freshclam_testfiles/*"
    run([*unpack, "--file", archives[0], "--directory", folder, "--wildcards", pattern])
    for version in (OLD, NEW):
        if not (folder / f"test-{version}.cvd").exists():
            raise CannotRunError(f"lab: ClamAV's source package has no test-{version}.cvd")


def build_mirror(folder: Path, databases: Path) -> None:
    """What freshclam asks the mirror for."""
    folder.mkdir(parents=True)
    for name in DATABASES:
        shutil.copyfile(databases / f"test-{NEW}.cvd", folder / name)


def configure_antivirus(root: Path, databases: Path) -> None:
    """Give a root the old databases and the address of the private mirror."""
    write(root, "etc/clamav/freshclam.conf", FRESHCLAM)
    for name in DATABASES:
        shutil.copyfile(databases / f"test-{OLD}.cvd", root / "var/lib/clamav" / name)
    run(["chroot", root, "chown", "-R", "clamav:clamav", "/var/lib/clamav"])
