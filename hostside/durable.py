"""Files that survive a crash: written whole or not at all, and checked when they are read back."""

import hashlib
import json
import os


class Damaged(Exception):
    """A sealed file whose content does not match its own checksum; the message names the file."""


def canonical(document):
    """The bytes that a document's checksum is made of: JSON, sorted keys, no spaces, ASCII."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def digest(document):
    """SHA-256 of a document in canonical form, hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def sync_folder(folder):
    """Make renames in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path, data, mode=0o600, sync=True):
    """Write bytes so that after a crash `path` holds either all of them or what it held before.

    Without `sync` that holds for a killed process only, not for a power cut.
    """
    temporary = "%s.%d.new" % (path, os.getpid())
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(data)
        stream.flush()
        if sync:
            os.fsync(stream.fileno())
    os.rename(temporary, path)
    if sync:
        sync_folder(os.path.dirname(path))


def write_sealed(path, document, sync=True):
    """Write a dict as JSON together with `sha256`, the checksum of all its other keys."""
    write(path, canonical(dict(document, sha256=digest(document))) + b"\n", sync=sync)


def read_sealed(path, limit=64 * 1024 * 1024):
    """The dict of a sealed file without its checksum.

    Raises FileNotFoundError when there is none, and Damaged when it is cut short, altered or not
    of this form: a damaged file is never trusted, not even in part.
    """
    with open(path, "rb") as stream:
        raw = stream.read(limit)
    try:
        document = json.loads(raw.decode("utf-8"))
        stated = document.pop("sha256")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Damaged("%s is no sealed document" % path) from None
    if stated != digest(document):
        raise Damaged("%s does not match its own checksum" % path)
    return document


def file_sha256(path):
    """SHA-256 of a file's bytes, hexadecimal."""
    checksum = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1024 * 1024), b""):
            checksum.update(block)
    return checksum.hexdigest()
