"""Sends what there is to tell, each thing once; a failure is told and stops nothing."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.model.errors import SopRunError
from orchestrator.model.notification import Notifications, Target
from orchestrator.model.text import printable
from orchestrator.office.notifications import load_notifications
from orchestrator.workflow.notify.events import News
from orchestrator.workflow.notify.ledger import Ledger, ledger
from orchestrator.workflow.notify.words import message
from orchestrator.workflow.settings import Settings

SECONDS = 45
"""How long one service may take."""
HOW_TO_INSTALL = f"{sys.executable} -m pip install apprise"
CHILD = "orchestrator.workflow.notify.child"
Say = Callable[[str], None]


def installed() -> bool:
    """Whether apprise, which is an extra, is there."""
    return importlib.util.find_spec("apprise") is not None


def tell(settings: Settings, cycle: str, news: Sequence[News], say: Say) -> None:
    """Send all news that was not sent yet to whom it concerns.

    Whatever goes wrong is said in one line each, without any address, and tried again at the next
    call. Nothing is raised but for Ctrl-C: the cycle's own record is complete by now.
    """
    try:
        who = load_notifications(settings.office)
        if not who.targets or not news:
            return
        with ledger(settings.home) as book:
            post = _Post(settings, who, book, say)
            for one in news:
                post.tell(cycle, one)
    except (SopRunError, OSError) as error:
        say(f"nobody was notified: {error}")


@dataclass(frozen=True)
class _Post:
    """One call's way to everybody who is to be told."""

    settings: Settings
    who: Notifications
    book: Ledger
    say: Say

    def tell(self, cycle: str, news: News) -> None:
        """Send one piece of news to those that it concerns and that do not have it yet."""
        wanted = [t for t in self.who.targets if t.wants(news.event, news.roles)]
        todo = [t for t in wanted if self.book.is_open(cycle, news.key, t.name)]
        if not todo:
            return
        details = news.details if self.who.details else ""
        title, body = message(news.event, news.values, self.settings.templates, details)
        for target in todo:
            self.book.note(cycle, news.key, target.name, "begun")
            trouble = send(target, title, body)
            self.book.note(cycle, news.key, target.name, "failed" if trouble else "sent")
            if trouble:
                self.say(f"{printable(target.name)} was not notified ({news.event}): {trouble}")


def send(target: Target, title: str, body: str) -> str:
    """Send one message; '' when the service took it, else why not, without any secret."""
    if not installed():
        return f"apprise is not installed: {HOW_TO_INSTALL}"
    asked = {"url": target.url.get_secret_value(), "title": title, "body": body}
    try:
        done = subprocess.run(
            [sys.executable, "-m", CHILD],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        return printable(json.loads(done.stdout)["trouble"], 300)
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS} s"
    except (OSError, ValueError, KeyError, TypeError):
        return "apprise failed for this kind of address"


def try_all(settings: Settings) -> list[tuple[Target, str]]:
    """Send a test to every target; returns each with why it failed, or ''.

    Raises UsageError for a notifications.yml that is wrong.
    """
    found = []
    for target in load_notifications(settings.office).targets:
        title, body = message("test", {"name": target.name}, settings.templates)
        found.append((target, send(target, title, body)))
    return found
