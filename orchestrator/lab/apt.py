"""Downloads packages for a root file system with the machine's apt: its proxies and mirrors hold.

Nothing of the machine's own package state is touched: state, lists and archives are private.
"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.process import run
from orchestrator.lab.sources import Source
from orchestrator.model.errors import CannotRunError


@dataclass(frozen=True)
class Downloader:
    """apt over `sources`, working in `folder` only."""

    folder: Path
    sources: tuple[Source, ...]
    types: str = "deb"
    archives: str = "archives"  # one folder for each set of packages

    def _command(self, status: Path, *words: str) -> list[str]:
        options = {
            "Dir::State": str(self.folder / "state"),
            "Dir::State::status": str(status),
            "Dir::State::lists": str(self.folder / "lists"),
            "Dir::State::extended_states": str(self.folder / "extended_states"),
            "Dir::Cache::archives": str(self.folder / self.archives),
            "Dir::Cache::pkgcache": "",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::sourcelist": str(self.folder / "lab.sources"),
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Sandbox::User": "root",
            "APT::Install-Recommends": "false",
            "APT::Keep-Downloaded-Packages": "true",
            "Binary::apt-get::APT::Keep-Downloaded-Packages": "true",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        return ["apt-get", "-qq", "-y", *(f"-o{k}={v}" for k, v in options.items()), *words]

    def update(self) -> None:
        """Fetch the package lists. Raises CannotRunError when a mirror does not answer."""
        for name in ("state", "lists/partial", f"{self.archives}/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        stanzas = "\n".join(source.deb822(self.types) for source in self.sources)
        (self.folder / "lab.sources").write_text(stanzas, encoding="utf-8")
        (self.folder / "no-status").touch()
        run(self._command(self.folder / "no-status", "update"))

    def download(self, root: Path, *words: str) -> list[Path]:
        """The packages that `apt-get WORDS` would bring to `root`, downloaded, not installed."""
        archives = self.folder / self.archives
        (archives / "partial").mkdir(parents=True, exist_ok=True)
        status = root / "var/lib/dpkg/status"
        run(self._command(status, "--download-only", *words), timeout=900)
        return sorted(archives.glob("*.deb"))

    def addresses(self, root: Path, *words: str) -> list[tuple[str, str]]:
        """(URI, file name) of every package that `apt-get WORDS` would bring to `root`."""
        listing = run(self._command(root / "var/lib/dpkg/status", "--print-uris", *words))
        pairs = (line.split()[:2] for line in listing.splitlines() if line.startswith("'"))
        return [(uri.strip("'"), name) for uri, name in pairs]

    def source_package(self, name: str) -> Path:
        """Fetch a source package, the newest version that is served; the folder with its files.

        Mirrors drop superseded versions, and some lag behind their own index, so older versions
        are tried too. Raises CannotRunError with the last refusal when none is served.
        """
        status = self.folder / "no-status"
        listing = run(["apt-cache", *self._command(status)[3:], "showsrc", "--only-source", name])
        versions = [line.split()[1] for line in listing.splitlines() if line.startswith("Version:")]
        refusal = CannotRunError(f"lab: no package source offers the source of {name}")
        for version in reversed(sort_versions(versions)):
            folder = self.folder / "source" / version
            folder.mkdir(parents=True, exist_ok=True)
            words = ["source", "--download-only", f"{name}={version}"]
            try:
                run(self._command(status, *words), cwd=folder, timeout=900)
            except CannotRunError as error:
                refusal = error
            else:
                return folder
        raise refusal


def sort_versions(versions: Iterable[str]) -> list[str]:
    """Debian versions without doubles, oldest first."""

    def compare(left: str, right: str) -> int:
        if left == right:
            return 0
        older = ["dpkg", "--compare-versions", left, "lt", right]
        return -1 if subprocess.run(older, check=False).returncode == 0 else 1

    return sorted(set(versions), key=functools.cmp_to_key(compare))
