"""Sends one message by apprise, in a process of its own: `python -m …notify.child`.

A plug-in that hangs, crashes or talks to the terminal harms nobody there. Request and answer are
JSON on standard input and output, so that no address is on a command line.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import sys
from urllib.parse import unquote, urlsplit

SHORTEST_SECRET = 4


def redacted(text: str, url: str) -> str:
    """The text without the address and without any part of it that may be a secret."""
    parts = urlsplit(url)
    pieces = {url, parts.netloc, parts.username or "", parts.password or "", parts.query}
    pieces |= set(re.split(r"[/?&=:@,]+", url.partition("://")[2]))
    pieces |= {unquote(piece) for piece in pieces}
    host = (parts.hostname or "").lower()
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= SHORTEST_SECRET and piece.lower() != host:
            text = text.replace(piece, "***")
    return " ".join(text.split())[:300]


def send(url: str, title: str, body: str) -> str:
    """Send it; '' when the service took it, else why not."""
    import apprise

    asset = apprise.AppriseAsset(app_id="sop-run", app_desc="sop-run", app_url="")
    room = apprise.Apprise(asset=asset)
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        if not room.add(url):
            return redacted(f"apprise does not know such an address {said.getvalue()}", url)
        sent = room.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT)
    finally:
        logger.removeHandler(handler)
    return "" if sent else redacted(said.getvalue() or "the service did not take it", url)


def main() -> None:
    """Answer {"trouble": WORDS} to {"url", "title", "body"}."""
    asked = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):
        trouble = send(asked["url"], asked["title"], asked["body"])
    print(json.dumps({"trouble": trouble}))


if __name__ == "__main__":
    main()
