"""Where an office's files lie: disk, kind of file system, and who could change them."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from orchestrator.model.house import ROOT
from orchestrator.model.text import printable
from orchestrator.workflow.doctor.records import Look
from orchestrator.workflow.settings import Settings

GIB = 1024**3
ROOM = GIB
"""Free bytes under --home below which a month's journal, documents and archive may not fit."""
FEW_INODES = 5000
REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "ceph", "glusterfs"}
)
"""File systems on which SQLite's write-ahead log is not safe (sqlite.org/wal.html)."""


def look_at_places(settings: Settings) -> list[Look]:
    """Room and rights of --home, and rights of everything that decides what is done to hosts."""
    return [*_home(settings.home), _umask(), *_rights(settings)]


def nearest(path: Path) -> Path:
    """The path, or the first folder above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _home(home: Path) -> list[Look]:
    place = nearest(home)
    if not os.access(place, os.W_OK | os.X_OK):
        fix = f"give {_me()} the right to write there, or name another folder with --home"
        return [Look("home", "finding", f"{place} cannot be written to", fix)]
    usage, space = shutil.disk_usage(place), os.statvfs(place)
    words = f"{home}: {usage.free / GIB:.1f} GiB free"
    looks = [Look("home", "ok", words)]
    if usage.free < ROOM:
        looks = [Look("home", "finding", words, f"make room: du -xsh {place}/* | sort -h")]
    elif space.f_files and space.f_favail < FEW_INODES:
        words = f"{home}: {space.f_favail} free inodes"
        looks = [Look("home", "finding", words, f"remove small files below {place}")]
    kind = file_system(place)
    if kind in REMOTE:
        words = f"{home} is on {printable(kind)}, where the journal is not safe from being cut"
        looks.append(Look("home", "finding", words, "name a folder on a local disk with --home"))
    return looks


def file_system(path: Path) -> str:
    """The type of the file system that a path lies on; '' when nothing tells."""
    best, kind = "", ""
    try:
        lines = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for line in lines.splitlines():
        fields = line.split(" ")
        mount = fields[1].replace("\\040", " ") if len(fields) > 2 else ""
        inside = mount and path.resolve().is_relative_to(mount)
        if inside and len(mount) >= len(best):
            best, kind = mount, fields[2]
    return kind


def _umask() -> Look:
    mask = os.umask(0o077)
    os.umask(mask)
    if not mask & 0o002:
        words = f"the umask is {mask:03o}: everybody could change what is written"
        return Look("umask", "finding", words, "umask 027 (in ~/.profile)")
    return Look("umask", "ok", f"{mask:03o}")


def _rights(settings: Settings) -> list[Look]:
    """Whoever can write to one of these decides what is run on every host."""
    folder = settings.inventory if settings.inventory.is_dir() else settings.inventory.parent
    places = [ROOT / name for name in ("hostside", "playbooks", "roles", "plugins")]
    places += [folder, settings.inventory, settings.office, settings.home]
    places += [folder / name for name in ("group_vars", "host_vars")]
    looks = []
    for place in dict.fromkeys(p for p in places if p.exists()):
        for path in _inside(place, settings.home):
            status = path.stat()
            if status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode):
                fix = f"chmod o-w {path}"
                looks.append(Look("rights", "finding", f"everybody can write to {path}", fix))
            elif status.st_uid not in (0, os.getuid()):
                words = f"{path} belongs to {_name(status.st_uid)}, who can change what is done"
                looks.append(Look("rights", "note", words, f"chown {_me()} {path}"))
    return looks[:20] or [Look("rights", "ok", "nobody else can change the office's files")]


def _inside(place: Path, home: Path) -> list[Path]:
    """The place, and the files in a folder of settings; of --home the folder alone."""
    if place.is_file() or place == home:
        return [place]
    files = [p for p in sorted(place.rglob("*"))[:2000] if home not in (p, *p.parents)]
    return [place, *(p for p in files if p.exists() and "__pycache__" not in p.parts)]


def _me() -> str:
    return _name(os.getuid())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
