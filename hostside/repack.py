"""Backup back end `packages`: the installed packages' exact files, /etc and the package database.

Works on any host. A .deb comes from apt's cache, else from the sources (apt verifies it), else it
is rebuilt from the installed files; an .rpm comes from the sources. Everything kept is read back.
"""

import os
import re
import shutil
import stat
import tarfile

from hostside import apt, aptstage, durable, hostinfo, keeprpm, systemtree, tree
from hostside.command import run
from hostside.unusable import Unusable

CACHE = "/var/cache/apt/archives"
INFO = "/var/lib/dpkg/info"
MANIFEST = "manifest.json"
RESTORE_ROUNDS = 3
ETC = "etc.tar.gz"
SCRIPTS = (
    "preinst", "postinst", "prerm", "postrm", "config", "templates", "triggers", "shlibs",
    "symbols", "md5sums",
)
DPKG_DATABASE = (
    "var/lib/dpkg/status", "var/lib/dpkg/diversions", "var/lib/dpkg/statoverride",
    "var/lib/dpkg/alternatives", "var/lib/apt/extended_states",
)
# What an office's dpkg may leave out on purpose (path-exclude); anything else must be there.
LEFT_OUT = re.compile(r"^/usr/share/(doc|man|locale|info|lintian|bug|help|groff)(/|$)")
NO_SOURCE = re.compile(r"^E: .*(?: for | of | package )'?([A-Za-z0-9.+:-]+)", re.MULTILINE)


def take(folder, names):
    """Keep the installed versions of `names`; returns `{location, size_bytes, sha256, proof}`."""
    delete(folder)
    os.makedirs(folder, mode=0o700)
    if hostinfo.package_manager() == "apt":
        kept = keep_debs(folder, names)
    else:
        kept = keeprpm.keep(folder, names)
    saved = save_configuration(os.path.join(folder, ETC))
    manifest = {"packages": kept, "etc": durable.file_sha256(os.path.join(folder, ETC))}
    durable.write_sealed(os.path.join(folder, MANIFEST), manifest)
    prove(folder)
    rebuilt = sorted(name for name, entry in kept.items() if entry["origin"] == "rebuilt")
    proof = [
        "%d package files of the installed versions are kept in %s and were read back" % (
            len(kept), folder),
        "%d files of /etc and the package database are kept in %s and were read back" % (
            saved, ETC),
    ]
    if rebuilt:
        proof.append("rebuilt from the installed files: %s" % ", ".join(rebuilt[:50]))
    size = sum(os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder))
    return {"location": folder, "size_bytes": size, "sha256": durable.digest(manifest),
            "proof": proof}


def delete(folder):
    """Delete a backup's folder; nothing happens when there is none."""
    if os.path.isdir(folder):
        shutil.rmtree(folder)


def manifest_of(folder):
    """The backup's manifest. Raises Unusable when it is missing or damaged."""
    try:
        return durable.read_sealed(os.path.join(folder, MANIFEST))
    except (OSError, durable.Damaged) as error:
        raise Unusable("the backup has no intact manifest: %s" % error) from None


def prove(folder, checksum=None):
    """Check every kept file against the manifest, and the manifest against `checksum`."""
    manifest = manifest_of(folder)
    if checksum and durable.digest(manifest) != checksum:
        raise Unusable("the manifest in %s is not the one of this backup" % folder)
    expected = {entry["file"]: entry["sha256"] for entry in manifest["packages"].values()}
    expected[ETC] = manifest["etc"]
    for name, sha256 in expected.items():
        path = os.path.join(folder, name)
        if not os.path.isfile(path) or durable.file_sha256(path) != sha256:
            raise Unusable("%s is missing or altered" % path)
    return manifest


def save_configuration(path):
    """Save /etc and the package database as a tar file and read it back; returns the files."""
    rpm_database = systemtree.rpm_database()[1:]
    paths = ["etc", rpm_database] if rpm_database else ["etc", *DPKG_DATABASE]
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name in paths:
            if os.path.lexists("/" + name):
                archive.add("/" + name, arcname=name)
    os.chmod(path, 0o600)
    count = 0
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            if member.isreg():
                content = archive.extractfile(member)
                while content.read(tree.COPY):
                    pass
                count += 1
    return count


def keep_debs(folder, names):
    """Keep a .deb of every installed package in `names`: {key: {file, sha256, version, origin}}."""
    native = apt.native_architecture()
    wanted = {
        apt.key(name, arch, native): (name, version, arch)
        for _, state, name, arch, version in apt.status() if state not in apt.ABSENT
    }
    wanted = {key: wanted[key] for key in names if key in wanted}
    for name, version, arch in wanted.values():
        cached = os.path.join(CACHE, aptstage.file_name(name, version, arch))
        if os.path.isfile(cached) and not wrong_with(cached, name, version, arch):
            shutil.copy2(cached, os.path.join(folder, aptstage.file_name(name, version, arch)))
    missing = [k for k, v in wanted.items() if not os.path.exists(
        os.path.join(folder, aptstage.file_name(*v)))]
    download(folder, {key: wanted[key][1] for key in missing})
    kept = {}
    for key, (name, version, arch) in wanted.items():
        path, origin = os.path.join(folder, aptstage.file_name(name, version, arch)), "original"
        if not os.path.exists(path):
            rebuild(folder, key, name, arch, path)
            origin = "rebuilt"
        trouble = wrong_with(path, name, version, arch)
        if trouble:
            raise Unusable("the package file kept for %s is no good: %s" % (key, trouble))
        kept[key] = {
            "file": os.path.basename(path), "sha256": durable.file_sha256(path),
            "version": version, "origin": origin,
        }
    return kept


def download(folder, versions):
    """Download what the sources still carry; apt verifies it. What is missing is rebuilt later."""
    versions = dict(versions)
    while versions:
        argv = ["apt-get", "-q", "-o", "Acquire::Retries=1", "download"]
        result = run(argv + ["%s=%s" % pair for pair in sorted(versions.items())],
                     timeout=600, cwd=folder)
        missing = gone(result.err, versions)
        if result.ok or not missing:
            return
        for name in missing:
            del versions[name]


def gone(error, versions):
    """Keys of `versions` that apt says no source carries; it may add the architecture."""
    named = set(NO_SOURCE.findall(error))
    named |= {name.rsplit(":", 1)[0] for name in named}
    return named & set(versions)


def wrong_with(path, name, version, arch):
    """What is wrong with a package file; "" when dpkg reads it whole and it is the right one."""
    fields = run(["dpkg-deb", "-f", path, "Package", "Version", "Architecture"], timeout=60)
    stated = dict(line.split(": ", 1) for line in fields.out.splitlines() if ": " in line)
    expected = {"Package": name, "Version": version, "Architecture": arch}
    if stated != expected:
        return "it says %s %s" % (stated, fields.err.strip()[:200])
    listing = run(["dpkg-deb", "-c", path], timeout=300, limit=1024)
    return "" if listing.ok else listing.tail(2)


def rebuild(folder, key, name, arch, target):
    """Build a .deb from the installed files, control data and maintainer scripts."""
    work = os.path.join(folder, "rebuild")
    delete(work)
    os.makedirs(os.path.join(work, "DEBIAN"), mode=0o755)
    try:
        listed = run(["dpkg-query", "-L", key], timeout=60)
        if not listed.ok:
            raise Unusable("dpkg-query -L %s: %s" % (key, listed.tail(2)))
        if "diverted" in listed.out:
            raise Unusable("%s has diverted files and cannot be rebuilt" % key)
        for path in listed.out.splitlines():
            copy_into(work, path, key)
        control_files(work, key, name, arch)
        built = run(["dpkg-deb", "-Zgzip", "-z1", "-b", work, target], timeout=600)
        if not built.ok:
            raise Unusable("%s cannot be rebuilt: %s" % (key, built.tail(3)))
    finally:
        delete(work)


def copy_into(work, path, key):
    """Copy one installed path into the package tree."""
    if path in ("", "/", "/."):
        return
    target = work + path
    found = tree.status(path)
    if found is None:
        if not LEFT_OUT.match(path) and path not in conffiles(key):
            raise Unusable("%s of %s is missing, so the package cannot be rebuilt" % (path, key))
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    listed_folder = stat.S_ISLNK(found.st_mode) and os.path.isdir(path)
    if stat.S_ISDIR(found.st_mode) or (listed_folder and holds_more(path, key)):
        os.makedirs(target, exist_ok=True)
        tree.attributes(os.path.realpath(path), target)
    else:
        tree.make(path, found, target)
        tree.attributes(path, target)


def holds_more(path, key):
    """Whether a package lists paths below `path`: then it is a folder for it (merged /usr)."""
    listed = hostinfo.read(info_path(key, "list"), 64 * 1024 * 1024)
    return ("\n%s/" % path) in listed


def info_path(key, kind):
    """dpkg's own file of a package, with the architecture where packages are co-installable."""
    plain = os.path.join(INFO, "%s.%s" % (key, kind))
    if os.path.exists(plain) or ":" in key:
        return plain
    return os.path.join(INFO, "%s:%s.%s" % (key, apt.native_architecture(), kind))


def conffiles(key):
    """The package's configuration files."""
    return hostinfo.read(info_path(key, "conffiles")).split()


def control_files(work, key, name, arch):
    """Write the DEBIAN folder: control from dpkg's status, scripts from its info folder."""
    shown = run(["dpkg-query", "-s", key], timeout=60)
    if not shown.ok:
        raise Unusable("dpkg-query -s %s: %s" % (key, shown.tail(2)))
    control = os.path.join(work, "DEBIAN", "control")
    with open(control, "w", encoding="utf-8", errors="surrogateescape") as stream:
        stream.write(control_text(shown.out))
    for kind in SCRIPTS:
        source = info_path(key, kind)
        if os.path.isfile(source):
            shutil.copy(source, os.path.join(work, "DEBIAN", kind))
    present = [path for path in conffiles(key) if os.path.lexists(work + path)]
    if present:
        with open(os.path.join(work, "DEBIAN", "conffiles"), "w", encoding="utf-8") as stream:
            stream.write("".join(path + "\n" for path in present))


def control_text(status):
    """A package's control file from its paragraph in dpkg's status."""
    lines, skipping = [], False
    for line in status.splitlines():
        if not line.startswith(" "):
            skipping = line.split(":", 1)[0] in ("Status", "Conffiles", "Config-Version")
        if line and not skipping:
            lines.append(line)
    return "\n".join(lines) + "\n"


def restore(folder, checksum, new_names):
    """Install the kept versions again, remove `new_names`, put /etc back; returns (files, proof).

    Raises Unusable before anything is touched when the backup is not proven any more.
    """
    manifest = prove(folder, checksum)
    if hostinfo.package_manager() == "apt":
        restore_debs(folder, manifest["packages"], new_names)
    else:
        keeprpm.restore(folder, manifest["packages"], new_names)
    files = restore_etc(os.path.join(folder, ETC))
    return files, [
        "%d kept packages were compared with their recorded SHA-256 before use" % len(
            manifest["packages"]),
        "%d files of /etc were put back" % len(files),
    ]


def restore_debs(folder, kept, new_names):
    """dpkg puts the kept versions back; conffiles that someone edited stay as they are.

    What conflicts with a new version can only come back after that one is gone, and dpkg takes
    files in the order given: so what is left over is tried again. Raises Unusable when a kept
    package is not back, whole, at the end.
    """
    options = ["--force-downgrade", "--force-confold", "--force-confdef", "--force-overwrite"]
    trouble = ""
    for _ in range(RESTORE_ROUNDS):
        files = [os.path.join(folder, kept[key]["file"]) for key in missing_of(kept)]
        if not files:
            break
        result = run(["dpkg", *options, "-i", *files], timeout=1800)
        if not result.ok:
            trouble = result.tail(8)
            # Packages that depend on each other may have come in the wrong order.
            run(["dpkg", *options, "--configure", "-a"], timeout=900)
    left = missing_of(kept)
    if left:
        raise Unusable("dpkg could not put back %s: %s" % (", ".join(left), trouble))
    surplus = sorted(set(new_names) & set(apt.installed()))
    if surplus:
        result = run(["dpkg", "--purge", *surplus], timeout=900)
        if not result.ok:
            raise Unusable("dpkg could not remove what the update brought: %s" % result.tail(8))


def missing_of(kept):
    """Keys of kept packages that are not installed, whole, in their kept version."""
    now, unfinished = apt.installed(), set(apt.half_configured())
    return sorted(
        key for key, entry in kept.items()
        if now.get(key) != entry["version"] or key in unfinished
    )


def restore_etc(path):
    """Put back files of /etc that differ from the saved ones; new files stay. Returns the paths."""
    changed = []
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            inside = member.name == "etc" or member.name.startswith("etc/")
            if inside and ".." not in member.name.split("/") and differs(archive, member):
                put_member(archive, member)
                changed.append("/" + member.name)
    return changed


def differs(archive, member):
    """Whether the live entry is not as the member of the archive says."""
    target = "/" + member.name
    now = tree.status(target)
    if target == "/etc/resolv.conf" or not (member.isreg() or member.issym()):
        return False
    if now is None:
        return True
    if member.issym():
        return not stat.S_ISLNK(now.st_mode) or os.readlink(target) != member.linkname
    if not stat.S_ISREG(now.st_mode):
        return True
    same = (now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode), now.st_size) == (
        member.uid, member.gid, member.mode, member.size)
    if not same:
        return True
    with open(target, "rb") as stream:
        return stream.read() != archive.extractfile(member).read()


def put_member(archive, member):
    """Replace one file or link of /etc, whole, by a rename."""
    target = "/" + member.name
    temporary = target + tree.TEMPORARY
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(temporary):
        os.unlink(temporary)
    if member.issym():
        os.symlink(member.linkname, temporary)
    else:
        with open(temporary, "wb") as out:
            shutil.copyfileobj(archive.extractfile(member), out)
        os.chmod(temporary, member.mode)
        os.utime(temporary, (member.mtime, member.mtime))
    os.lchown(temporary, member.uid, member.gid)
    os.rename(temporary, target)
