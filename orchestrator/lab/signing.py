"""Keys that sign the lab's own repositories: made at build time, kept in the cache, root only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab.process import run

OWNER = "lab@example.test"


@dataclass(frozen=True)
class SigningKey:
    """A GnuPG key of the lab in a home of its own."""

    home: Path

    @classmethod
    def generate(cls, home: Path) -> SigningKey:
        """Make a new RSA key (both apt and rpm take it) without passphrase."""
        home.mkdir(parents=True, mode=0o700)
        key = cls(home)
        key.gpg("--quick-gen-key", OWNER, "rsa3072", "sign", "never")
        return key

    def gpg(self, *words: str) -> str:
        """Run gpg with this key's home; no agent is left running."""
        base = ["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--yes"]
        loopback = ["--pinentry-mode", "loopback", "--passphrase", ""]
        try:
            return run([*base, *loopback, *words])
        finally:
            run(["gpgconf", "--homedir", str(self.home), "--kill", "all"])

    def export(self, path: Path, *, armor: bool) -> None:
        """Write the public key; `armor` as rpm wants it, binary as apt wants it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.gpg(*(["--armor"] if armor else []), "--output", str(path), "--export", OWNER)

    def sign_release(self, release: Path) -> None:
        """Write InRelease beside a Release file."""
        output = release.with_name("InRelease")
        self.gpg("--output", str(output), "--clearsign", str(release))
