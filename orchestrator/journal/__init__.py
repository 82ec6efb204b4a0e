"""Append-only, hash-chained record of a cycle, and its fold into state."""
