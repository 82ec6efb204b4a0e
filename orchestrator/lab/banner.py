"""Waits until addresses accept connections. Standard library only, run as a file in a namespace.

`banner.py SECONDS ADDRESS:PORT…` prints those that did not answer in time.
"""

from __future__ import annotations

import socket
import sys
import time


def accepts(address: str) -> bool:
    """Whether something listens; a port 22 must also send its SSH banner."""
    name, port = address.rsplit(":", 1)
    try:
        with socket.create_connection((name, int(port)), timeout=1) as connection:
            return port != "22" or connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(addresses: list[str], seconds: float) -> list[str]:
    """The addresses that did not answer within `seconds`."""
    deadline = time.monotonic() + seconds
    left = addresses
    while left and time.monotonic() < deadline:
        left = [address for address in left if not accepts(address)]
        if left:
            time.sleep(0.1)
    return left


if __name__ == "__main__":
    sys.stdout.write("\n".join(wait(sys.argv[2:], float(sys.argv[1]))))
