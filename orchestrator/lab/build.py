"""Builds the lab's base from nothing: root file systems, repositories, mirrors.

Runs as a program of its own, in private mount and process namespaces (see cache.py), so a killed
build leaves no mount, loop device or process behind. Progress goes to standard output, one line
each; the last line of standard error says why it failed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from orchestrator.lab.apt import Downloader
from orchestrator.lab.clamav import build_mirror, configure_antivirus, fetch_databases
from orchestrator.lab.debrepo import build_debian_repository
from orchestrator.lab.machine import Machine, prepare_machine
from orchestrator.lab.packages import package
from orchestrator.lab.process import run
from orchestrator.lab.recipe import (
    ANTIVIRUS_PACKAGES,
    COMPRESSION,
    IMAGE_GIB,
    RPM_PACKAGES,
    SNAPPER_PACKAGES,
    SUSE_PACKAGES,
)
from orchestrator.lab.root import bootstrap, configure, configure_snapper, install
from orchestrator.lab.rpmrepo import build_rpm_repositories, disguise
from orchestrator.lab.security import build_security_mirror
from orchestrator.lab.signing import SigningKey
from orchestrator.lab.sources import Source, read_sources, source_of
from orchestrator.lab.suse import disguise_suse
from orchestrator.model.errors import SopRunError

KEYRING = "usr/share/keyrings/lab-archive.gpg"


class Build:
    """One build into `folder`: pool.img with the roots, www/ with repositories and mirrors."""

    def __init__(self, folder: Path, machine: Machine, progress: Callable[[str], None]) -> None:
        self.folder = folder
        self.machine = machine
        self.progress = progress
        self.pool = folder / "pool"
        self.www = folder / "www"
        self.work = folder / "work"
        sources = read_sources()
        self.release: Source = source_of(machine.codename, sources)
        self.security: Source = source_of(f"{machine.codename}-security", sources)

    def carry_out(self) -> None:
        """Everything, in the order that keeps two cores and the network busy."""
        self.mount_image()
        self.work.mkdir()
        key = SigningKey.generate(self.folder / "gnupg")
        with ThreadPoolExecutor(max_workers=2) as side:
            databases = side.submit(self.fetch_antivirus)
            repositories = side.submit(self.build_repositories, key)
            self.build_base(key)
            databases.result()
            repositories.result()
        self.progress("base: hosts with antivirus, snapper, dnf, zypper, and the security mirror")
        with ThreadPoolExecutor(max_workers=4) as side:
            tasks = [side.submit(self.build_security)]
            downloads = self.downloader()
            tasks += [side.submit(self.build_antivirus_root, downloads)]
            tasks += [side.submit(self.build_snapper_root, downloads)]
            tasks += [side.submit(self.build_rpm_root, downloads)]
            tasks += [side.submit(self.build_suse_root, downloads)]
            for task in tasks:
                task.result()
        self.build_thin_root()
        self.unmount_image()

    def mount_image(self) -> None:
        """A btrfs image on a loop device, mounted in this process's namespace only."""
        image = self.folder / "pool.img"
        with image.open("wb") as handle:
            handle.truncate(IMAGE_GIB * 2**30)
        run(["mkfs.btrfs", "--quiet", "--label", "sop-run-lab", "--metadata", "single", image])
        self.pool.mkdir()
        options = f"loop,noatime,compress={COMPRESSION}"
        run(["mount", "-o", options, image, self.pool])

    def unmount_image(self) -> None:
        """Write everything out; from here on the image is only copied."""
        run(["rm", "-rf", self.work])
        run(["fstrim", self.pool])
        run(["umount", self.pool])
        self.pool.rmdir()

    def build_base(self, key: SigningKey) -> None:
        """The Debian root that all others are snapshots of."""
        root = self.pool / "debian"
        self.progress(f"base: bootstrapping {self.machine.system} {self.machine.codename}")
        run(["btrfs", "--quiet", "subvolume", "create", root])
        bootstrap(root, self.machine, self.release, self.work)
        configure(root)
        key.export(root / KEYRING, armor=False)

    def build_repositories(self, key: SigningKey) -> None:
        """The lab's own packages, both formats."""
        self.progress("repositories: building the lab's own packages")
        folder = self.www / "debian"
        build_debian_repository(folder, self.work / "deb", self.machine.architecture, key)
        build_rpm_repositories(self.www / "rpm", self.work / "rpm", key)

    def fetch_antivirus(self) -> None:
        """ClamAV's signed test databases and the private mirror."""
        self.progress("antivirus: fetching ClamAV's signed test databases")
        databases = self.folder / "databases"
        sources = (self.release, self.security)
        fetch_databases(databases, self.work / "clamav", sources)
        build_mirror(self.www / "antivirus", databases)

    def build_security(self) -> None:
        """The partial mirror of real security updates."""
        count = build_security_mirror(
            self.www / "security",
            self.work / "security",
            self.pool / "debian",
            self.machine,
            self.security,
        )
        self.progress(f"security: {count} real updates mirrored")

    def downloader(self) -> Downloader:
        """Packages of the release suite, as the base has them."""
        downloads = Downloader(self.work / "release", (self.release,))
        downloads.update()
        return downloads

    def snapshot(self, name: str) -> Path:
        """A writable copy of the base."""
        root = self.pool / name
        run(["btrfs", "--quiet", "subvolume", "snapshot", self.pool / "debian", root])
        return root

    def build_antivirus_root(self, downloads: Downloader) -> None:
        """The base with ClamAV and its old databases."""
        root = self.snapshot("antivirus")
        install(root, downloads.download(root, "install", *ANTIVIRUS_PACKAGES))
        configure_antivirus(root, self.folder / "databases")

    def build_snapper_root(self, downloads: Downloader) -> None:
        """The base with snapper, configured for /."""
        root = self.snapshot("snapper")
        downloads = replace(downloads, archives="archives-snapper")
        install(root, downloads.download(root, "install", *SNAPPER_PACKAGES))
        configure_snapper(root)

    def build_thin_root(self) -> None:
        """The base with one ordinary update pending, shared by all thin hosts."""
        root = self.snapshot("thin")
        old = package("lab-tool", "1.0")
        install(root, [self.www / "debian/pool" / old.suite / old.file_name])

    def build_rpm_root(self, downloads: Downloader) -> None:
        """The base with dnf and rpm, disguised."""
        root = self.snapshot("rpm")
        downloads = replace(downloads, archives="archives-rpm")
        install(root, downloads.download(root, "install", *RPM_PACKAGES))
        disguise(root, self.www / "rpm")

    def build_suse_root(self, downloads: Downloader) -> None:
        """The base with zypper and rpm, disguised."""
        root = self.snapshot("suse")
        downloads = replace(downloads, archives="archives-suse")
        install(root, downloads.download(root, "install", *SUSE_PACKAGES))
        disguise_suse(root, self.www / "rpm")


def main() -> int:
    """`python -m orchestrator.lab.build FOLDER`; exit code 0, or that of the error."""
    began = time.monotonic()

    def progress(line: str) -> None:
        sys.stdout.write(f"{line} ({time.monotonic() - began:.0f} s)\n")
        sys.stdout.flush()

    try:
        Build(Path(sys.argv[1]), prepare_machine(progress), progress).carry_out()
    except SopRunError as error:
        sys.stderr.write(f"{error.message}\n{error.hint}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
