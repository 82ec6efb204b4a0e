"""The tls check: a server's certificate, when it ends and whether it is trusted (SOP step 8)."""

import calendar
import socket
import ssl
import time

from hostside.probes import Failed, address_of, switched_off

DAYS = 14
DAY_SECONDS = 86400
SEQUENCE, CONTEXT_0 = 0x30, 0xA0
UTC_TIME = 0x17


def context(check):
    """How a server's certificate is judged: by the host's authorities and `ca`, unless `verify` is
    off. Raises OSError when `ca` cannot be read."""
    found = ssl.create_default_context()
    if check.get("ca"):
        found.load_verify_locations(cafile=str(check["ca"]))
    if switched_off(check.get("verify", True)):
        found.check_hostname = False
        found.verify_mode = ssl.CERT_NONE
    return found


def element(raw, position):
    """(tag, start, end) of the DER element at a position; ValueError when it is cut short."""
    if position + 2 > len(raw):
        raise ValueError("the certificate is cut short")
    tag, length, start = raw[position], raw[position + 1], position + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(raw[start:start + size], "big"), start + size
    if start + length > len(raw):
        raise ValueError("the certificate is cut short")
    return tag, start, start + length


def not_after(raw):
    """Epoch seconds of a DER certificate's end (RFC 5280, 4.1); ValueError for no certificate."""
    position = 0
    for _ in range(2):  # Certificate, TBSCertificate
        tag, position, _ = element(raw, position)
        if tag != SEQUENCE:
            raise ValueError("this is no certificate")
    tag, _, end = element(raw, position)
    fields = 4 if tag == CONTEXT_0 else 3  # version, serial number, signature, issuer
    for _ in range(fields):
        _, _, position = element(raw, position)
    _, position, _ = element(raw, position)  # Validity
    _, _, position = element(raw, position)  # notBefore
    tag, start, end = element(raw, position)
    text = raw[start:end].decode("ascii")
    if tag == UTC_TIME:
        text = ("20" if int(text[:2]) < 50 else "19") + text
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))


def check_tls(check, limit):
    """Passes when the certificate is trusted and good for `days` (14) more days."""
    host, port = address_of(check["host"] if ":" in str(check["host"]) else (
        "%s:443" % check["host"]))
    name = str(check.get("server_name") or host)
    try:
        with socket.create_connection((host, port), timeout=limit) as connection, context(
            check
        ).wrap_socket(connection, server_hostname=name) as secure:
            raw, version = secure.getpeercert(True), secure.version()
    except ssl.SSLError as error:  # CertificateError and untrusted ones among them
        raise Failed("%s: %s" % (name, getattr(error, "verify_message", "") or error)) from None
    ends = not_after(raw)
    left = int((ends - time.time()) // DAY_SECONDS)
    words = "%s: %d days left, until %s, %s" % (
        name, left, time.strftime("%Y-%m-%d", time.gmtime(ends)), version)
    if left < int(check.get("days", DAYS)):
        raise Failed(words)
    return words
