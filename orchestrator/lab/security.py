"""A partial mirror of the distribution's real security suite, under its own signature.

It holds just the packages that a host made from the release suite would upgrade to, and the
distribution's InRelease unchanged, so hosts check the distribution's own signature. How many
updates are pending grows with time: tests say "some", never a number.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

from orchestrator.lab.apt import Downloader
from orchestrator.lab.machine import Machine
from orchestrator.lab.process import run
from orchestrator.lab.sources import Source
from orchestrator.model.errors import CannotRunError


def build_security_mirror(
    folder: Path, work: Path, root: Path, machine: Machine, source: Source
) -> int:
    """Mirror what `root` would upgrade to; returns the number of packages.

    Raises CannotRunError when the suite has no update at all, as then there is nothing to show.
    """
    apt = Downloader(work, (source,))
    apt.update()
    addresses = apt.addresses(root, "dist-upgrade")
    if not addresses:
        raise CannotRunError(f"lab: {source.suites[0]} has no update for a fresh root")
    apt.download(root, "dist-upgrade")
    base = source.uris[0].rstrip("/") + "/"
    suite = source.suites[0]
    for uri, name in addresses:
        target = folder / unquote(urlsplit(uri).path.removeprefix(urlsplit(base).path))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(work / "archives" / name, target)
    index = folder / "dists" / suite
    index.mkdir(parents=True)
    (in_release,) = (work / "lists").glob("*_InRelease")
    shutil.copyfile(in_release, index / "InRelease")
    for component in source.components:
        path = f"{component}/binary-{machine.architecture}/Packages.xz"
        (index / path).parent.mkdir(parents=True)
        address = f"{base}dists/{suite}/{path}"
        helper = ["/usr/lib/apt/apt-helper", "-oAPT::Sandbox::User=root", "download-file"]
        run([*helper, address, index / path])
    return len(addresses)
