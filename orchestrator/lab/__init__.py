"""Throw-away real test hosts on one Debian machine."""
