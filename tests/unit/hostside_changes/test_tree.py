"""Comparing a live tree with its snapshot, and putting back what differs."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from hostside import tree

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="owners and devices need root")


def listing(base: Path) -> dict[str, tuple[object, ...]]:
    """Everything that a restore must bring back, by relative path."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(base):
        for name in folders + files:
            path = Path(folder, name)
            info = path.lstat()
            content: object = path.read_bytes() if stat.S_ISREG(info.st_mode) else None
            if path.is_symlink():
                content = path.readlink()
            found[str(path.relative_to(base))] = (
                info.st_mode,
                info.st_uid,
                info.st_gid,
                info.st_mtime_ns,
                content,
            )
    return found


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """A snapshot and a live tree that are alike in all but inode numbers, as after a copy."""
    kept = tmp_path / "kept"
    (kept / "usr/bin").mkdir(parents=True)
    (kept / "usr/lib/deep").mkdir(parents=True)
    (kept / "usr/bin/web").write_text("web 1.0\n")
    (kept / "usr/bin/web").chmod(0o755)
    (kept / "usr/bin/tool").write_text("tool\n")
    (kept / "usr/lib/deep/data").write_bytes(b"\0" * 5000)
    (kept / "usr/lib/link").symlink_to("deep/data")
    os.link(kept / "usr/bin/tool", kept / "usr/bin/tool-alias")
    live = tmp_path / "live"
    subprocess.run(["cp", "-a", str(kept), str(live)], check=True)
    return kept, live


def compare(kept: Path, live: Path) -> tree.Changes:
    walk = tree.Trees(str(kept), str(live))
    walk.compare("usr")
    return walk.changes


def restored(kept: Path, live: Path) -> tree.Changes:
    changes = compare(kept, live)
    tree.put_back(str(kept), str(live), changes)
    assert listing(live) == listing(kept)
    assert compare(kept, live).paths() == []
    return changes


def test_alike_trees_have_no_differences(trees: tuple[Path, Path]) -> None:
    assert compare(*trees).paths() == []


def test_changed_content_with_the_same_size_and_time(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    path = live / "usr/bin/web"
    before = path.stat()
    path.write_text("web 1.1\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert restored(kept, live).replace == ["usr/bin/web"]


def test_new_files_and_folders_go(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    (live / "usr/share/new").mkdir(parents=True)
    (live / "usr/share/new/file").write_text("x")
    (live / "usr/bin/newer").write_text("x")
    changes = restored(kept, live)
    assert changes.remove == ["usr/bin/newer", "usr/share"]


def test_missing_folder_comes_back_whole(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    shutil.rmtree(live / "usr/lib")
    restored(kept, live)


def test_kinds_that_changed(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    (live / "usr/lib/link").unlink()
    (live / "usr/lib/link").mkdir()
    (live / "usr/lib/link/inside").write_text("x")
    shutil.rmtree(live / "usr/lib/deep")
    (live / "usr/lib/deep").write_text("a file now")
    (live / "usr/bin/tool").unlink()
    (live / "usr/bin/tool").symlink_to("/etc/passwd")
    restored(kept, live)
    assert Path("/etc/passwd").is_file()


def test_modes_and_hard_links(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    (live / "usr/bin/web").chmod(0o600)
    (live / "usr/lib").chmod(0o700)
    (live / "usr/bin/tool").unlink()
    (live / "usr/bin/tool-alias").unlink()
    restored(kept, live)
    assert (live / "usr/bin/tool").stat().st_ino == (live / "usr/bin/tool-alias").stat().st_ino


@root_only
def test_owners_and_extended_attributes(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    os.chown(live / "usr/bin/web", 12, 34)
    os.setxattr(live / "usr/bin/tool", "trusted.x", b"1")
    restored(kept, live)
    assert "trusted.x" not in os.listxattr(live / "usr/bin/tool")


def test_left_out_paths_stay(trees: tuple[Path, Path]) -> None:
    kept, live = trees
    (live / "usr/local").mkdir()
    (live / "usr/local/mine").write_text("admin's")
    walk = tree.Trees(str(kept), str(live), lambda path: path != "usr/local")
    walk.compare("usr")
    assert walk.changes.remove == []


def test_failing_halfway_leaves_whole_files(trees: tuple[Path, Path]) -> None:
    """A temporary file of a restore that was cut off is replaced and does not stay."""
    kept, live = trees
    (live / "usr/bin/web").write_text("web 2.0 broken\n")
    (live / ("usr/bin/web" + tree.TEMPORARY)).write_text("half")
    restored(kept, live)
