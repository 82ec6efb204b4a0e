"""What the office's checks do: one function for each type, bounded in time (SOP steps 7 and 8).

A function gets the check and its time limit in seconds; it returns its evidence, or raises Failed
(or OSError, ValueError) with it.
"""

import re
import socket

from hostside import systemd
from hostside.command import run

BODY_LIMIT = 1024 * 1024


class Failed(Exception):
    """A check that did not pass; the message is its evidence."""


def expect_text(check, text):
    """Raises Failed unless the check's `text` is part of `text`."""
    wanted = str(check.get("text") or "")
    if wanted and wanted not in text:
        raise Failed("%r is missing in the answer: %s" % (wanted, text[:120]))


def switched_off(value):
    """Whether a switch of the inventory says no."""
    return str(value).lower() in ("false", "no", "off", "0")


def check_http(check, limit):
    """GETs `url` without proxies; passes on `status` (default 200) and `text` in the body."""
    import urllib.error
    import urllib.request

    from hostside import tls

    wanted = int(check.get("status") or 200)
    url = str(check["url"])
    handlers = [urllib.request.ProxyHandler({})]
    if url.startswith("https:"):
        handlers.append(urllib.request.HTTPSHandler(context=tls.context(check)))
    opener = urllib.request.build_opener(*handlers)
    try:
        with opener.open(url, timeout=limit) as reply:
            status, body = reply.status, reply.read(BODY_LIMIT)
    except urllib.error.HTTPError as error:
        with error:
            status, body = error.code, error.read(BODY_LIMIT)
    except urllib.error.URLError as error:
        raise Failed("no answer: %s" % error.reason) from None
    text = body.decode("utf-8", "replace")
    if status != wanted:
        raise Failed("HTTP %d instead of %d: %s" % (status, wanted, text[:120]))
    expect_text(check, text)
    return "HTTP %d: %s" % (status, text[:120])


def check_tls(check, limit):
    """Judges a server's certificate (hostside/tls.py)."""
    from hostside import tls  # late: it is slow, and few hosts have such a check

    return tls.check_tls(check, limit)


def check_service(check, limit):
    """Passes when the systemd unit is active and, with `enabled`, starts at boot."""
    if not systemd.available():
        raise Failed("there is no systemd on this host to ask for %s" % check["unit"])
    unit = str(check["unit"])
    result = run(["systemctl", "is-active", "--", unit], timeout=limit)
    state = result.out.strip() or result.tail(1)
    if not result.ok:
        raise Failed("%s is %s" % (unit, state))
    if "enabled" in check and not switched_off(check["enabled"]):
        enabled = run(["systemctl", "is-enabled", "--", unit], timeout=limit)
        state += ", " + (enabled.out.strip() or enabled.tail(1))
        if not enabled.ok:
            raise Failed("%s is %s" % (unit, state))
    return "%s is %s" % (unit, state)


def address_of(value, default="localhost"):
    """(host, port) of 8080, `tcp/8080`, `host:8080` or `[::1]:8080`; ValueError for no port."""
    match = re.match(r"^(?:tcp/)?(?:(?:\[([^\]]+)\]|([^:\s/]+)):)?(\d{1,5})$", str(value))
    if not match or not 0 < int(match.group(3)) < 65536:
        raise ValueError("%r is no TCP port" % (value,))
    return match.group(1) or match.group(2) or default, int(match.group(3))


def check_port(check, limit):
    """Passes when a TCP connection to the port opens."""
    host, port = address_of(check["port"], str(check.get("address") or "localhost"))
    with socket.create_connection((host, port), timeout=limit):
        return "%s port %d accepts connections" % (host, port)


def check_command(check, limit):
    """Runs `argv` (no shell); passes on exit code `status` (default 0) and `text` in its output."""
    argv = check["argv"]
    result = run([str(word) for word in argv], timeout=limit, limit=BODY_LIMIT)
    wanted = int(check.get("status") or 0)
    if result.code is None:
        raise Failed("%s was ended at its time limit of %g s" % (argv[0], limit))
    if result.code != wanted:
        raise Failed("exit code %d instead of %d: %s" % (result.code, wanted, result.tail(2)))
    expect_text(check, result.out)
    return "exit code %d: %s" % (result.code, result.out[:120])


def expect(what, found, wanted):
    """Raises Failed unless two words are the same."""
    if str(found) != str(wanted):
        raise Failed("%s is %s instead of %s" % (what, found, wanted))


def check_file(check, limit):
    """Passes when the file exists (or, with `exists: false`, does not) and is as described.

    Programs read it, not we: a file system that hangs ends with the time limit.
    """
    path = str(check["path"])
    found = run(["stat", "-L", "--printf=%F\t%U\t%G\t%a\t%s", "--", path], timeout=limit)
    if found.code is None:
        raise Failed("%s did not answer within %g s" % (path, limit))
    there = found.ok
    if switched_off(check.get("exists", True)):
        if there:
            raise Failed("%s exists" % path)
        return "%s does not exist" % path
    if not there:
        raise Failed(found.tail(1))
    kind, owner, group, mode, size = found.out.split("\t")
    expect("the owner", owner, check.get("owner", owner))
    expect("the group", group, check.get("group", group))
    expect("the mode", mode.zfill(4), str(check.get("mode", mode)).zfill(4))
    if check.get("sha256"):
        summed = run(["sha256sum", "--", path], timeout=limit)
        if not summed.ok:
            raise Failed(summed.tail(1) or "the time limit of %g s was over" % limit)
        digest = summed.out.lstrip("\\").split(" ", 1)[0]
        expect("the SHA-256", digest, str(check["sha256"]).lower())
    return "%s, %s bytes, %s:%s, mode %s" % (kind, size, owner, group, mode.zfill(4))


def check_dns(check, limit):
    """Passes when the name resolves on this host, to all of `address` when that is given."""
    import ipaddress

    found = run(["getent", "ahosts", "--", str(check["resolve"])], timeout=limit)
    if found.code is None:
        raise Failed("no answer within %g s" % limit)
    addresses = sorted({line.split()[0] for line in found.out.splitlines() if line.split()})
    if not addresses:
        raise Failed("%s does not resolve" % check["resolve"])
    wanted = check.get("address") or []
    wanted = wanted if isinstance(wanted, list) else [wanted]
    missing = {str(ipaddress.ip_address(str(one))) for one in wanted} - set(addresses)
    if missing:
        raise Failed("resolves to %s, not to %s" % (
            ", ".join(addresses), ", ".join(sorted(missing))))
    return "resolves to %s" % ", ".join(addresses)
