"""What a public SSH key is: kind and size, by ssh-keygen."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

RSA_BITS, RSA_GOOD_BITS = 2048, 3072
_SHOWN = re.compile(r"^(\d+) (SHA256:\S+) .*\(([A-Z0-9-]+)\)$")


@dataclass(frozen=True)
class KnownKey:
    """A key's size and kind; `trouble` says why it cannot be used, `weakness` why it should not."""

    bits: int = 0
    kind: str = ""
    fingerprint: str = ""
    trouble: str = ""
    weakness: str = ""


def read_key(line: str) -> KnownKey:
    """Read the line of a .pub file; a line that is no key is told as trouble, never raised."""
    try:
        done = subprocess.run(
            ["ssh-keygen", "-l", "-f", "-"],
            input=line + "\n",
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return KnownKey()  # the look at the control machine tells of that
    match = _SHOWN.match(done.stdout.strip())
    if done.returncode != 0 or match is None:
        return KnownKey(trouble=f"is no public key ({line.split(maxsplit=1)[0][:40]} …)")
    bits, fingerprint, kind = int(match[1]), match[2], match[3]
    trouble = weakness = ""
    if kind == "DSA":
        trouble = "is a DSA key, which OpenSSH does not take any more"
    elif kind == "RSA" and bits < RSA_BITS:
        trouble = f"is an RSA key of {bits} bits, which is too short"
    elif kind == "RSA" and bits < RSA_GOOD_BITS:
        weakness = f"an RSA key of {bits} bits; {RSA_GOOD_BITS} or ed25519 is better"
    return KnownKey(bits, kind, fingerprint, trouble, weakness)
