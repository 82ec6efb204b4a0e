"""apt's metadata in a workspace of its own, so that a check changes nothing on the host (SOP 2).

apt is given one configuration file: the host's own configuration as `apt-config dump` prints it,
without hooks, with lists, caches and logs moved into a temporary folder. Proxies, pins, keys,
sources and credentials stay the host's. It works without root.
"""

import os
import re
import shutil
import tempfile

from hostside.command import run

UPDATE_SECONDS = 300
# Delayed retries are off below: apt 2.6 waits for ever when a retried source refuses connections.
# Of the host's configuration, what must not take part: hooks write to the host, and only package
# indexes are needed (no translations, sources, icons or file lists).
LEFT_OUT = re.compile(
    r"^(APT::Update::(Pre|Post)-|DPkg::(Pre|Post)-|AptCli|APT::Compressor|Acquire::Languages"
    r"|Acquire::IndexTargets|Binary |CommandLine|Dir::State::lists|Dir::Cache|Dir::Log"
    r"|Dir::Etc::(main|parts)|Acquire::Allow|APT::Update::Error-Mode|APT::Authentication|quiet)",
    re.IGNORECASE,
)
PLAIN = re.compile(r'^[^\s"{};]+ "[^"]*";$')
ALWAYS = """\
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Cache "@CACHE@";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "@CACHE@";
Debug::NoLocking "true";
APT::Get::Show-User-Simulation-Note "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::Retries "1";
Acquire::Retries::Delay "false";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
"""
SEEDED = re.compile(r"_(InRelease|Release|Release\.gpg|Packages)(\.\w+)?$")
SYSTEM_OPTIONS = (
    "-o", "APT::Update::Error-Mode=any", "-o", "Acquire::AllowInsecureRepositories=false",
    "-o", "DPkg::Lock::Timeout=60", "-o", "Acquire::Retries=1",
    "-o", "Acquire::Retries::Delay=false",
)
# Warnings of apt-get update that say that a source was not refreshed or not proven.
SOURCE_FAILED = re.compile(
    r"Failed to fetch|index files failed|GPG error|signature|not signed|no longer signed"
    r"|Release file|Hash Sum mismatch|NO_PUBKEY|EXPKEYSIG|REVKEYSIG|expired|not valid|404|403"
    r"|Could not (resolve|connect)|Unable to|does not have a|no longer has a|changed its",
)
LINE = re.compile(r"^(W|E): (.*)$")


class MetadataError(Exception):
    """The metadata could not be refreshed or read; the message names every cause."""


class Workspace:
    """A temporary folder with apt's configuration; `env` makes apt use it. Use it with `with`."""

    def __init__(self, private_lists):
        self.private_lists = private_lists
        self.lists = ""
        self.folder = ""
        self.dump = ""  # the host's own configuration, as `apt-config dump` prints it
        self.env = {}

    def __enter__(self):
        dump = run(["apt-config", "dump"], timeout=30)
        if not dump.ok:
            raise MetadataError("apt-config: %s" % dump.tail())
        # /var/tmp: lists are large, and /tmp is often memory. apt's download user `_apt` must be
        # able to walk through, so the folder can be entered by all but listed by none.
        self.dump = dump.out
        self.folder = tempfile.mkdtemp(prefix="sop-run-check-", dir="/var/tmp")
        try:
            os.chmod(self.folder, 0o711)  # noqa: S103 - only --x for others
            self._fill(dump.out)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.env = {"APT_CONFIG": os.path.join(self.folder, "apt.conf"), "HOME": self.folder}
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def _fill(self, dump):
        cache = os.path.join(self.folder, "cache")
        os.makedirs(os.path.join(cache, "archives", "partial"))
        text = keep(dump) + ALWAYS.replace("@CACHE@", cache)
        self.lists = lists_folder(dump)
        if self.private_lists:
            source, self.lists = self.lists, os.path.join(self.folder, "lists/")
            seed(source, self.lists)
        text += 'Dir::State::lists "%s";\n' % self.lists
        # A proxy's password may be among the host's options: for our eyes only.
        path = os.path.join(self.folder, "apt.conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as handle:
            handle.write(text)

    def run(self, argv, timeout=120, cwd="/", env=None):
        """Run an apt command with this workspace's configuration."""
        environment = dict(self.env, **(env or {}))
        return run(argv, timeout=timeout, limit=64 * 1024 * 1024, env=environment, cwd=cwd)


def keep(dump):
    """The lines of `apt-config dump` that take part."""
    lines = (line for line in dump.splitlines() if PLAIN.match(line) and not LEFT_OUT.match(line))
    return "".join(line + "\n" for line in lines)


def folder_of(dump, parent, name, usual):
    """A folder of the host's own apt by its configuration, with a slash at its end."""
    values = dict(re.findall(r'^(Dir\S*) "([^"]*)";$', dump, re.MULTILINE))
    path = os.path.join(
        values.get("Dir", "/"), values.get(parent, usual[0]), values.get(name, usual[1])
    )
    return path if path.endswith("/") else path + "/"


def lists_folder(dump):
    """The host's own lists folder."""
    return folder_of(dump, "Dir::State", "Dir::State::lists", ("var/lib/apt", "lists/"))


def archives_folder(dump):
    """Where the host's own apt keeps packages that were downloaded."""
    return folder_of(dump, "Dir::Cache", "Dir::Cache::archives", ("var/cache/apt", "archives/"))


def seed(source, target):
    """Start from the host's own lists, so that what has not changed is not downloaded again.

    apt verifies the signature and the hashes of what it finds there like of what it downloads.
    """
    os.makedirs(os.path.join(target, "partial"))
    for name in os.listdir(source) if os.path.isdir(source) else []:
        path = os.path.join(source, name)
        if SEEDED.search(name) and os.path.isfile(path) and os.access(path, os.R_OK):
            shutil.copy2(path, os.path.join(target, name))


def require_lists(folder):
    """Raises MetadataError for a host that has no lists at all: nothing could ever be pending."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    if not any(name.endswith(("_InRelease", "_Release", "_Packages")) for name in names):
        raise MetadataError("there are no package lists in %s" % folder)


def update_trouble(result):
    """(causes, warnings) of an apt-get update, each a list of lines without duplicates."""
    causes, warnings = [], []
    for line in (result.out + "\n" + result.err).splitlines():
        match = LINE.match(line)
        if not match:
            continue
        bucket = warnings
        if match.group(1) == "E" or SOURCE_FAILED.search(match.group(2)):
            bucket = causes
        if match.group(2) not in bucket:
            bucket.append(match.group(2))
    if result.code is None:
        waiting = re.findall(r"^Ign:\d+ (.*)$", result.out, re.MULTILINE)
        causes.append("apt-get update was ended after %d s; without an answer: %s" % (
            UPDATE_SECONDS, ", ".join(waiting) or "unknown"))
    elif not result.ok and not causes:
        causes.append("apt-get update ended with exit code %d" % result.code)
    return causes, warnings


def refresh_private(workspace):
    """Refresh the workspace's lists; returns warnings, raises MetadataError naming each cause."""
    return finish_update(workspace.run(["apt-get", "-q", "update"], UPDATE_SECONDS))


def refresh_system():
    """Refresh the host's own lists; returns warnings, raises MetadataError naming each cause."""
    return finish_update(run(["apt-get", "-q", *SYSTEM_OPTIONS, "update"], UPDATE_SECONDS))


def finish_update(result):
    """Warnings of a good refresh; MetadataError for any source that failed."""
    causes, warnings = update_trouble(result)
    if causes:
        raise MetadataError("\n".join(causes))
    return warnings
