"""Telling people that a cycle waits for them, or that something needs a look; never more."""
