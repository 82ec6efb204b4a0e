"""Backup back end `command`: programs of the office's own make, prove and restore the backup.

`backup_command` names them as lists of words: `create`, `verify`, `restore`, and `delete` where
old backups are to be removed. Each is run as root without a shell, with the backup's name as
its last word, and must end with 0. They are kept in the host's record when the backup is made, so
that a restore runs what was agreed then.
"""

from hostside import durable, leftovers, naming, records
from hostside.command import ENVIRONMENT, run
from hostside.outcome import one_line
from hostside.unusable import Unusable

NEEDED = ("create", "verify", "restore")
KEYS = (*NEEDED, "delete", "seconds")
SECONDS = 3600
LINES = 20


def trouble_with(definition):
    """What is wrong with `backup_command`, as a list of sentences; [] when it can be used."""
    if not isinstance(definition, dict):
        return ["backup_command is no mapping"]
    found = ["backup_command has no %s" % key for key in NEEDED if not definition.get(key)]
    found += ["backup_command has an unknown key %r" % str(key)[:40]
              for key in definition if key not in KEYS]
    for key in (*NEEDED, "delete"):
        words = definition.get(key)
        if words and not (isinstance(words, list) and all(
                isinstance(word, str) and word and "\0" not in word for word in words)):
            found.append("backup_command.%s is no list of words" % key)
        elif words and not words[0].startswith("/"):
            found.append("backup_command.%s does not begin with an absolute path" % key)
    seconds = definition.get("seconds", SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or seconds <= 0:
        found.append("backup_command.seconds is no number of seconds")
    return found


def carry_out(definition, key, identity):
    """Run one of the office's programs; returns its lines. Unusable unless it ends with 0.

    What a killed attempt of the same transaction left running is waited for: never two at once.
    """
    words = [*definition[key], naming.checked(identity)]
    seconds = float(definition.get("seconds", SECONDS))
    leftovers.let_end(ENVIRONMENT.get(leftovers.MARKER, ""), words[0], seconds)
    result = run(words, timeout=seconds)
    if result.code is None:
        raise Unusable("backup_command.%s was ended after %.0f s" % (key, seconds))
    if not result.ok:
        raise Unusable("backup_command.%s ended with exit code %s: %s" % (
            key, result.code, one_line(result.tail(3))))
    return [one_line(line) for line in result.out.splitlines() if line.strip()][:LINES]


def sealed(identity, definition, location):
    """A checksum that binds the backup's name, its programs and its place."""
    return durable.digest({"id": identity, "command": definition, "location": location})


class Command:
    """What the office's programs keep, wherever that is."""

    stands_still = False  # the office's program may need the package manager

    def reason_against(self, request):
        """Why it cannot be used: no definition, or a malformed one."""
        definition = request.get("options", {}).get("command")
        if not definition:
            return "backup_command is not set"
        return "; ".join(trouble_with(definition))

    def take(self, identity, request):
        """Run `create`, then `verify`: its lines are the proof."""
        definition = request["options"]["command"]
        lines = carry_out(definition, "create", identity)
        location = lines[0] if lines else definition["create"][0]
        checksum = sealed(identity, definition, location)
        return {"location": location, "size_bytes": 0, "sha256": checksum,
                "proof": self.sentences(identity, definition)}

    def sentences(self, identity, definition):
        """What `verify` says; raises Unusable when it does not end with 0."""
        lines = carry_out(definition, "verify", identity)
        return ["%s ended with exit code 0" % " ".join(definition["verify"])[:200], *lines]

    def prove(self, identity, taken):
        """Run `verify` again."""
        definition = records.read(identity)["command"]
        if sealed(identity, definition, taken.get("location")) != taken["sha256"]:
            raise Unusable("the host's record of %s is not the one of this backup" % identity)
        return self.sentences(identity, definition)

    def restore(self, identity, taken, record):
        """Run `verify`, then `restore`; returns (no paths, proof sentences)."""
        proof = self.prove(identity, taken)
        lines = carry_out(record["command"], "restore", identity)
        words = " ".join(record["command"]["restore"])[:200]
        return [], [*proof, "%s ended with exit code 0" % words, *lines]

    def touched(self, _identity):
        """The office's program restarts what it must."""
        return []

    def short(self, _identity):
        """What is short of room for this backup, and whether that is urgent; nothing here."""
        return "", False

    def delete(self, identity):
        """Run `delete`, where the office has defined it."""
        definition = records.read(identity)["command"]
        if definition.get("delete"):
            carry_out(definition, "delete", identity)


BACKEND = Command()
