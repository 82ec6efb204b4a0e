"""Downloads package files with zypper, which compares each with the signed metadata."""

import os
import shutil
import tempfile

from hostside import zypp

LOCK_SECONDS = 120
DOWNLOAD_SECONDS = 1800


def download(wanted, folder, **options):
    """({key: path}, why some are missing or "") of {key: (name, version, arch)}, into `folder`.

    `options` are those of zypp.call. Raises ValueError when zypper gives no answer.
    """
    words = sorted("%s.%s=%s" % (name, arch, version) for name, version, arch in wanted.values())
    said = zypp.call(["download", *words], packages=folder, **options)
    there = results(said)
    found = {
        key: there[identity] for key, identity in wanted.items()
        if os.path.isfile(there.get(identity, ""))
    }
    if len(found) == len(wanted):
        return found, ""
    return found, zypp.why(said) if said.code != 0 else "; ".join(said.texts("warning", "error"))


def results(said):
    """{(name, version, arch): path or ""} of what zypper says that it downloaded."""
    return dict(map(downloaded, said.root.iter("download-result")))


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


def keep(folder, wanted):
    """Download installed versions ({key: (name, version, arch)}) into a folder: {key: file name}.

    For the back end `packages`. Raises ValueError, naming them, when a version is in no repository
    any more.
    """
    work = tempfile.mkdtemp(prefix="download-", dir=folder)
    try:
        there, why = download(wanted, work, lock_seconds=LOCK_SECONDS, seconds=DOWNLOAD_SECONDS)
        missing = sorted("%s %s" % row[:2] for key, row in wanted.items() if key not in there)
        if missing:
            raise ValueError("no-source: no repository carries %s (%s)" % (
                ", ".join(missing), why or "zypper did not say why"))
        files = {}
        for key, path in there.items():
            files[key] = os.path.basename(path)
            shutil.move(path, os.path.join(folder, files[key]))
        return files
    finally:
        shutil.rmtree(work)
