"""An antivirus mirror with moods, run as a file in the lab's namespace: a real server's answers.

`mirror.py ADDRESS PORT FOLDER CONTROL LOG`: CONTROL holds the status that every request gets, or
nothing: then files of FOLDER are served. LOG gets a line for each request, with who asked.
"""

from __future__ import annotations

import functools
import http.server
import sys
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files, or the refusal that the control file orders."""

    control: Path
    log: Path

    def do_GET(self) -> None:
        """Answer one request, and write down that it was made."""
        with self.log.open("a", encoding="utf-8") as stream:
            stream.write(f"{self.path} {self.headers.get('User-Agent', '')}\n")
        mood = self.control.read_text(encoding="utf-8").split()
        if not mood:
            super().do_GET()
            return
        self.send_response(int(mood[0]))
        if mood[0] == "429":
            self.send_header("Retry-After", mood[1])
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    address, port, folder, control, log = sys.argv[1:]
    Handler.control, Handler.log = Path(control), Path(log)
    serve = functools.partial(Handler, directory=folder)
    http.server.ThreadingHTTPServer((address, int(port)), serve).serve_forever()
