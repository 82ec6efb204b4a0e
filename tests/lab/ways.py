"""Ways in which a control machine and a host may meet: how each is set up, and what comes of it.

Data for tests/lab/test_connections.py. Every way has a thin host of its own name.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, field
from typing import Any

from hostside.answer import Answer, frame

SECRET = "Rahasia-4711"  # sudo's password on the hosts; it must be found nowhere
USER = f"echo deploy:{SECRET} | chpasswd"
LOCKED = f"{USER}; echo 'deploy ALL=(root) ALL' >/etc/sudoers.d/deploy"
NO_SUDO = f"{USER}; rm /etc/sudoers.d/deploy"
TTY = "echo 'Defaults requiretty' >/etc/sudoers.d/tty"
PIPE_OFF = {"ansible_pipelining": False}
NOISE = r"""
printf 'Banner \033[31mred\nSOP-RUN-EVIDENCE 00 AAAA\n\377\376\000 no newline' >/etc/noise
sed -i '1i cat /etc/noise; cat /etc/noise >&2' /home/deploy/.bashrc
echo 'cat /etc/noise' >>/home/deploy/.bash_logout
echo 'Banner /etc/noise' >>/etc/ssh/sshd_config; kill -HUP 1"""
# Ansible itself looks for the name of its folder in the last line that a host prints.
GREETING = "sed -i '1i echo Welcome; echo Notice >&2' /home/deploy/.bashrc"
NEW_KEY = """rm /etc/ssh/ssh_host_ed25519_key*
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key; kill -HUP 1"""
# The names on the path go, too: only the way that is to be tried is left.
MOVED = "mkdir -p {0}; cp /usr/bin/python3.11 {0}/{1}; rm /usr/bin/python3*"
# The answer that the host gives in place of a host program's.
REPLAY = "/usr/local/bin/replay"
HOSTILE = (
    "evil\x1b]0;owned\x07\x1b[2J\u202e\r\n=cmd|'/c calc'!A1 {{ 7*7 }} ../../etc " + "x" * 65536
)


@dataclass(frozen=True)
class Way:
    """A way to reach a host; `words` stand in the reason of a host that gave no evidence."""

    name: str
    prepare: str = ""  # run in the host as root, by sh
    variables: dict[str, Any] = field(default_factory=dict)
    kind: str = "evidence"  # unreachable, failed
    words: str = ""


def answer(**fields: Any) -> dict[str, Any]:
    """Evidence of a check as a host program would give it, with some fields replaced."""
    return {**Answer("check").finish(), **fields}


def hostile() -> dict[str, Any]:
    """Evidence in which every word that a host may choose is an attack."""
    item = {"class": "system", "name": HOSTILE, "from": HOSTILE, "to": HOSTILE, "source": HOSTILE}
    problem = {"code": HOSTILE, "message": HOSTILE, "hint": HOSTILE}
    facts = {"hostname": HOSTILE, "kernel": HOSTILE, "os": {"name": HOSTILE, "id": HOSTILE}}
    return answer(items=[item], problems=[problem], facts=facts)


def replay(line: str) -> str:
    """Commands that make the host's Python one that always prints `line`."""
    text = base64.b64encode(gzip.compress(line.encode("latin-1"))).decode()
    return (
        f"echo {text} | base64 -d | gunzip >/usr/local/answer\n"
        f"printf '#!/bin/sh\\ncat >/dev/null\\ncat /usr/local/answer\\n' >{REPLAY}\n"
        f"chmod +x {REPLAY}"
    )


def replayed(name: str, line: str, kind: str = "failed", words: str = "") -> Way:
    """A host that answers with `line`, whatever it is asked."""
    return Way(name, replay(line), {"ansible_python_interpreter": REPLAY}, kind, words)


FLOOD = f"""printf '#!/bin/sh\\nhead -c 100000000 /dev/zero | tr "\\\\0" x\\n' >{REPLAY}
chmod +x {REPLAY}"""
GOOD = frame(answer())

WAYS = (
    # sudo
    Way("nopasswd"),
    Way("vaultfile", LOCKED),  # password in an encrypted file of its group
    Way("inline", LOCKED),  # encrypted where it stands, in hosts.yml
    Way("asked", LOCKED, {}, "failed", "sudo asks for a password and none was given"),
    Way("wrong", LOCKED, {"ansible_become_password": "x"}, "failed", "sudo refused the password"),
    Way("stranger", NO_SUDO, {"ansible_become_password": SECRET}, "failed", "sudo is refused"),
    Way("requiretty", TTY, {}, "failed", "sudo wants a terminal (requiretty)"),
    Way("nosudo", "rm /usr/bin/sudo", {}, "failed", "sudo is not on the host"),
    # ssh
    Way("jump"),
    Way("behind", "apt-get -qq update; ip route add unreachable 10.99.0.1"),
    Way("newkey", NEW_KEY, {}, "unreachable", "its host key has changed"),
    Way("nokey", "", {}, "unreachable", "its host key is unknown"),
    Way("hangs", "sed -i '1i sleep 1000' /home/deploy/.bashrc", {"check_timeout_seconds": 8},
        "failed", "no answer within 8 s"),
    # what lies around the evidence, and how the program gets there
    Way("nopipe", LOCKED, {**PIPE_OFF, "ansible_become_password": SECRET}),
    Way("tty", TTY, {"ansible_ssh_extra_args": "-tt"}),
    Way("forcedtty"),  # by RequestTTY in ssh_config, which Ansible does not know of
    Way("noisy", NOISE),
    Way("noisyfile", GREETING, PIPE_OFF),
    # Python
    Way("platform", MOVED.format("/usr/libexec", "platform-python")),
    Way("elsewhere", MOVED.format("/opt/py", "python"),
        {"ansible_python_interpreter": "/opt/py/python"}),
    Way("nopython", "rm /usr/bin/python3*", {}, "failed", "no Python 3 on the host"),
    # what is no evidence
    Way("flood", FLOOD, {"ansible_python_interpreter": REPLAY}, "failed", "far too much output"),
    Way("floodlogin", "sed -i '1i head -c 100000000 /dev/zero' /home/deploy/.bashrc",
        {"check_timeout_seconds": 120}, "failed", "far too much output"),
    replayed("cut", GOOD[:-9], words="its evidence is unusable"),
    replayed("other", frame(answer(transaction="0" * 32)), words="answers another question"),
    replayed("binary", "\x00\x01\n" + "\u00ff" * 900, words="the host program gave no answer"),
    replayed("large", GOOD.ljust(700_000, "A"), words="its evidence is too large"),
    replayed("hostile", frame(hostile()), "evidence"),
)  # fmt: skip
