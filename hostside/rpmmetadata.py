"""Reads a repository's rpm-md metadata: packages with checksums (primary) and advisories.

zypper does not tell checksums, nor which package an advisory is about, so the files that it has
fetched and verified are read. They may be large: they stream through a parser that keeps only what
is asked for and refuses document types.
"""

import bz2
import gzip
import lzma
import os
from xml.parsers import expat

from hostside.command import run, which

OPENERS = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open, ".xml": open}
BLOCK = 256 * 1024
LIMIT = 4 * 1024 * 1024 * 1024
KEPT_TEXT = 4096
REBOOT = "installhint(reboot-needed)"
TRUE = ("1", "T", "t")


class Handler:
    """Base of the three readers: text of the element that is open, attributes of its parents."""

    def __init__(self):
        self.text = ""

    def data(self, text):
        """Collect text, bounded."""
        if len(self.text) < KEPT_TEXT:
            self.text += text


class Index(Handler):
    """repomd.xml: `files` {type: location}."""

    def __init__(self):
        Handler.__init__(self)
        self.files = {}
        self._type = ""

    def start(self, tag, attributes):
        """An element begins."""
        if tag == "data":
            self._type = attributes.get("type", "")
        elif tag == "location":
            self.files[self._type] = attributes.get("href", "")

    def end(self, tag):
        """An element ends: nothing here."""


class Packages(Handler):
    """primary.xml: `found` {(name, arch): {version: {sha256, size, reboot, location}}} of the
    `wanted`."""

    def __init__(self, wanted):
        Handler.__init__(self)
        self.found = {}
        self._wanted = wanted
        self._now = None

    def start(self, tag, attributes):
        """An element begins."""
        self.text = ""
        if tag == "package":
            self._now = {"sha256": "", "size": 0, "reboot": False, "location": ""}
        if self._now is None:
            return
        if tag == "version":
            self._now["version"] = evr(attributes)
        elif tag == "checksum":
            self._now["kind"] = attributes.get("type", "")
        elif tag == "size":
            size = attributes.get("package", "")
            self._now["size"] = int(size) if size.isdigit() else 0
        elif tag == "location":
            self._now["location"] = attributes.get("href", "")
        elif tag == "rpm:entry" and attributes.get("name") == REBOOT:
            self._now["reboot"] = True

    def end(self, tag):
        """An element ends."""
        if self._now is None:
            return
        if tag in ("name", "arch"):
            self._now.setdefault(tag, self.text.strip())
            if self._now.get("name") not in self._wanted:
                self._now = None
        elif tag == "checksum" and self._now.get("kind") == "sha256":
            self._now["sha256"] = self.text.strip().lower()
        elif tag == "package":
            entry, self._now = self._now, None
            known = self.found.setdefault((entry.pop("name"), entry.pop("arch", "")), {})
            entry.pop("kind", "")
            known[entry.pop("version", "")] = entry


class Advisories(Handler):
    """updateinfo.xml: `found` [{id, type, severity, cves, packages {(name, arch): version},
    reboot}] of what is about the `wanted`; withdrawn advisories are left out."""

    def __init__(self, wanted):
        Handler.__init__(self)
        self.found = []
        self._wanted = wanted
        self._now = None

    def start(self, tag, attributes):
        """An element begins."""
        self.text = ""
        if tag == "update":
            self._now = {"id": "", "type": attributes.get("type", ""), "severity": "", "cves": [],
                         "packages": {}, "reboot": False,
                         "withdrawn": attributes.get("status") == "retracted"}
        elif self._now is None:
            return
        elif tag == "reference" and attributes.get("type") == "cve":
            self._now["cves"].append(attributes.get("id", ""))
        elif tag == "package" and attributes.get("name") in self._wanted:
            identity = (attributes["name"], attributes.get("arch", ""))
            self._now["packages"][identity] = evr(attributes)

    def end(self, tag):
        """An element ends."""
        if self._now is None:
            return
        if tag in ("id", "severity") and not self._now[tag]:
            self._now[tag] = self.text.strip()
        elif tag == "reboot_suggested":
            self._now["reboot"] |= self.text.strip()[:1] in TRUE
        elif tag == "update":
            if self._now["packages"] and not self._now.pop("withdrawn"):
                self.found.append(self._now)
            self._now = None


def evr(attributes):
    """`epoch:version-release` of attributes epoch, ver or version, rel or release."""
    version = attributes.get("ver", attributes.get("version", ""))
    text = "%s-%s" % (version, attributes.get("rel", attributes.get("release", "")))
    epoch = attributes.get("epoch", "0")
    return text if epoch in ("", "0") else "%s:%s" % (epoch, text)


def read(path, handler, work):
    """Let a metadata file, compressed or not, stream through a handler, which is returned.

    `work`: folder for what only an external program can unpack. Raises ValueError.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = handler.start, handler.end
    parser.CharacterDataHandler = handler.data
    parser.StartDoctypeDeclHandler = refuse
    total = 0
    try:
        with unpacked(path, work) as stream:
            while True:
                block = stream.read(BLOCK)
                total += len(block)
                if total > LIMIT:
                    raise ValueError("more than %d bytes" % LIMIT)
                parser.Parse(block, not block)
                if not block:
                    return handler
    except (OSError, EOFError, ValueError, lzma.LZMAError, expat.ExpatError) as error:
        raise ValueError("%s: %s" % (os.path.basename(path), error)) from None


def refuse(*_):
    """No metadata has a document type; entities could fill the memory."""
    raise ValueError("it declares a document type")


def unpacked(path, work):
    """The file opened for reading; raises ValueError for a compression that nobody here knows."""
    ending = os.path.splitext(path)[1]
    if ending == ".zst":
        if not which("zstd"):
            raise ValueError("the program zstd is not installed")
        plain = os.path.join(work, os.path.basename(path)[:-len(ending)])
        result = run(["zstd", "-dqf", path, "-o", plain], timeout=300)
        if not result.ok:
            raise ValueError(result.tail(2))
        path, ending = plain, ".xml"
    if ending not in OPENERS:
        raise ValueError("unknown compression %r" % ending)
    return OPENERS[ending](path, "rb")


def files(folder, work):
    """{type: path} of a repository's metadata in `folder`; raises ValueError when there is none."""
    index = read(os.path.join(folder, "repodata", "repomd.xml"), Index(), work)
    return {
        kind: os.path.join(folder, "repodata", os.path.basename(location))
        for kind, location in index.files.items()
    }
