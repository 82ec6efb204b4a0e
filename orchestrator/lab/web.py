"""The lab's web server: repositories and antivirus mirror. Standard library only, run as a file.

`web.py ADDRESS PORT FOLDER`; it also holds the lab's mount namespace open as long as it runs.
"""

from __future__ import annotations

import functools
import http.server
import sys


class Server(http.server.ThreadingHTTPServer):
    """Takes hundreds of hosts asking at once."""

    request_queue_size = 512
    daemon_threads = True


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of one folder, over connections that stay open."""

    protocol_version = "HTTP/1.1"


if __name__ == "__main__":
    address, port, folder = sys.argv[1:]
    handler = functools.partial(Handler, directory=folder)
    Server((address, int(port)), handler).serve_forever()
