"""A hypervisor's own program, asked where it stands (SOP steps 6 and 8), and what its JSON must be.

For back ends that were never tried on the real thing: an answer that does not have the documented
shape is refused, never guessed at.
"""

import json

from hostside import leftovers
from hostside.command import ENVIRONMENT, run, which
from hostside.outcome import one_line
from hostside.unusable import Unusable

SECONDS = 60
LEFT_SECONDS = 900  # that a program of a killed attempt may go on, a snapshot of a large guest


class Program:
    """A vendor's program. `env` is what it gets beside the fixed environment; `secrets`, values of
    it, never stand in a message."""

    def __init__(self, name, advice, env=None, secrets=()):
        self.name = name
        self.advice = advice
        self.env = env
        self.secrets = secrets

    def path(self):
        """Where it is; Unusable when it is not there."""
        found = which(self.name)
        if not found:
            raise Unusable("%s is not on the hypervisor: %s" % (self.name, self.advice))
        return found

    def let_end(self):
        """Wait for what a killed attempt left of it; its path."""
        path = self.path()
        leftovers.let_end(ENVIRONMENT.get(leftovers.MARKER, ""), path, LEFT_SECONDS)
        return path

    def said(self, *words, **more):
        """What it printed; raises Unusable, in its own words, unless it ended well in `seconds`.

        What a killed attempt left of it is waited for before.
        """
        path, seconds = self.let_end(), more.get("seconds", SECONDS)
        result = run([path, *words], timeout=seconds, env=self.env)
        if result.code is None:
            raise Unusable("%s %s took longer than %d s" % (self.name, words[0], seconds))
        if not result.ok:
            raise Unusable("%s %s: %s" % (
                self.name, words[0], one_line(self.without_secrets(result.tail(3)))))
        return result.out

    def answered(self, *words, **more):
        """The JSON that it printed; Unusable when it is none."""
        text = self.said(*words, **more)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise Unusable("what %s %s says is no JSON: %s" % (
                self.name, words[0], one_line(self.without_secrets(text)))) from None

    def without_secrets(self, text):
        """Text in which no secret stands."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def part(document, kind, *path):
    """What stands at `path` of a vendor's answer; Unusable unless it is there and of that kind."""
    found = document
    for step in path:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError):
            raise unknown(path) from None
    if not isinstance(found, kind) or (isinstance(found, bool) and kind is int):
        raise unknown(path)
    return found


def unknown(path):
    """Why an answer is not used: what it lacks of the shape that is documented."""
    return Unusable("the answer has not the shape that sop-run knows (%s)" % ".".join(
        map(str, path)))
