"""Downloads installed versions from zypper's repositories, for the back end `packages`."""

import os
import shutil
import tempfile

from hostside import zypp

LOCK_SECONDS = 120
DOWNLOAD_SECONDS = 1800


def keep(folder, wanted):
    """Download installed versions ({key: (name, version, arch)}) into a folder: {key: file name}.

    zypper compares each file with the signed metadata. Raises ValueError, naming them, when a
    version is in no repository any more.
    """
    work = tempfile.mkdtemp(prefix="download-", dir=folder)
    try:
        words = ["%s.%s=%s" % (name, arch, version) for name, version, arch in wanted.values()]
        said = zypp.call(["download", *sorted(words)], packages=work, seconds=DOWNLOAD_SECONDS,
                         lock_seconds=LOCK_SECONDS)
        there = {identity: path for identity, path in map(downloaded, said.root.iter(
            "download-result")) if path and os.path.isfile(path)}
        missing = sorted("%s %s" % row[:2] for row in wanted.values() if row not in there)
        if missing:
            why = "" if said.code == 0 else " (%s)" % zypp.why(said)
            raise ValueError("no-source: no repository carries %s%s" % (", ".join(missing), why))
        files = {}
        for key, identity in wanted.items():
            files[key] = os.path.basename(there[identity])
            shutil.move(there[identity], os.path.join(folder, files[key]))
        return files
    finally:
        shutil.rmtree(work)


def downloaded(node):
    """((name, version, arch), path or "") of one `download-result`."""
    edition, file = node.find("solvable/edition"), node.find("localfile")
    version = ""
    if edition is not None:
        epoch = edition.get("epoch", "0")
        version = "%s-%s" % (edition.get("version", ""), edition.get("release", ""))
        version = version if epoch == "0" else "%s:%s" % (epoch, version)
    identity = (node.findtext("solvable/name", ""), version, node.findtext("solvable/arch", ""))
    return identity, "" if file is None else file.get("path", "")
