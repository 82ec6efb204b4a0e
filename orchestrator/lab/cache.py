"""The built base under /var/cache, shared by all labs and checkouts on the machine.

Built in a folder beside its final place and renamed when whole; a lock keeps two builders apart.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.limits import registered
from orchestrator.lab.machine import Machine, Progress
from orchestrator.lab.recipe import recipe_id
from orchestrator.lab.sources import Source
from orchestrator.model.errors import CannotRunError

FOLDER = Path("/var/cache/sop-run-lab")
# Mounts and processes of a build end with it, and the build ends with who asked for it.
ALONE = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "slave"),
    *("--pid", "--fork", "--kill-child", "--mount-proc"),
)


@dataclass(frozen=True)
class Cache:
    """A finished build: `image` with the roots, `www` with repositories and mirrors."""

    folder: Path

    @property
    def image(self) -> Path:
        """btrfs image; every lab works on a copy."""
        return self.folder / "pool.img"

    @property
    def www(self) -> Path:
        """What the lab's web server offers."""
        return self.folder / "www"


@dataclass(frozen=True)
class VmCache:
    """A finished build of what emulated machines start from."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The guest's kernel."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The guest's initrd; a machine's own files are added to it."""
        return self.folder / "initrd.img"

    @property
    def disk(self) -> Path:
        """Raw image with LVM; every machine works on a copy."""
        return self.folder / "disk.img"


@dataclass(frozen=True)
class Stock:
    """What hosts are made of: the base, what machines start from (if any), the suite to mirror."""

    cache: Cache
    machines: VmCache | None
    security: Source
    image: Path  # with the roots; the base's, or the one with a hypervisor's root as well


def provide(machine: Machine, progress: Progress, folder: Path = FOLDER) -> Cache:
    """The base for this machine, built when it is not there yet (minutes).

    Raises CannotRunError with the reason when the build fails; nothing half-built is kept.
    """
    final = folder / recipe_id(machine)
    _provide(final, progress, "build")
    return Cache(final)


def vm_id(machine: Machine) -> str:
    """The name of what machines start from: everything that decides what it contains."""
    digest = hashlib.sha256(recipe_id(machine).encode())
    digest.update(Path(__file__).with_name("vmbase.py").read_bytes())
    return "vm-" + digest.hexdigest()[:16]


def provide_vm(machine: Machine, base: Cache, progress: Progress) -> VmCache:
    """What emulated machines start from, made out of the base (about a minute, once).

    Raises CannotRunError with the reason when the build fails.
    """
    final = base.folder.parent / vm_id(machine)
    _provide(final, progress, "vmbase", str(base.image))
    return VmCache(final)


def hypervisor_id(machine: Machine) -> str:
    """The name of the image with a hypervisor's root: everything that decides what it contains."""
    digest = hashlib.sha256(recipe_id(machine).encode())
    digest.update(Path(__file__).with_name("hypervisorbase.py").read_bytes())
    return "hypervisor-" + digest.hexdigest()[:16]


def provide_hypervisor(machine: Machine, base: Cache, progress: Progress) -> Path:
    """The base's image with a hypervisor's root as well (half a minute, once).

    Raises CannotRunError with the reason when the build fails.
    """
    final = base.folder.parent / hypervisor_id(machine)
    _provide(final, progress, "hypervisorbase", str(base.image))
    return final / "pool.img"


def _provide(final: Path, progress: Progress, program: str, *words: str) -> None:
    if final.exists():
        return
    folder = final.parent
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder, progress):
        sweep(folder)
        if not final.exists():
            build(folder / f".build-{final.name}", final, progress, program, *words)


@contextmanager
def locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the builders' lock; it ends with its holder, also when that is killed."""
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("base: another process is building it, waiting")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def sweep(folder: Path) -> None:
    """Remove what killed builders left; call it with the lock held."""
    for leftover in folder.glob(".build-*"):
        remove_tree(leftover)


def tidy(folder: Path = FOLDER) -> None:
    """Remove what killed builders left, unless somebody is building right now."""
    if not folder.exists():
        return
    with (folder / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        sweep(folder)


def remove_tree(path: Path) -> None:
    """Remove a folder; a builder that is just ending may still hold it for a moment."""
    for _ in range(50):
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return
        time.sleep(0.1)
    shutil.rmtree(path)


def build(
    temporary: Path, final: Path, progress: Progress, program: str = "build", *words: str
) -> None:
    """Run a build program where its mounts and processes end with it, then rename."""
    temporary.mkdir(parents=True)
    errors = temporary / "errors.txt"
    with errors.open("w") as error_stream:
        process = subprocess.Popen(
            [*ALONE, sys.executable, "-m", f"orchestrator.lab.{program}", str(temporary), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=error_stream,
            text=True,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                progress(line.rstrip())
            code = process.wait()
        finally:
            process.kill()
            process.wait()
    if code != 0:
        reason = errors.read_text(encoding="utf-8").strip() or f"exit code {code}"
        remove_tree(temporary)
        raise CannotRunError(f"lab: the base could not be built: {reason}")
    errors.unlink()
    temporary.rename(final)


def purge(folder: Path = FOLDER) -> str:
    """Remove every cached base; returns what was done, in words.

    Labs that are up use the cache's repositories, so it stays while there is one.
    """
    if not folder.exists():
        return "lab: there is no cached base"
    labs = registered()
    if labs:
        return f"lab: the cached base stays, since other labs use it: {', '.join(labs)}"
    with locked(folder, lambda line: None):
        remove_tree(folder)
    return f"lab: removed the cached base in {folder}"
