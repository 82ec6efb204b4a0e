"""Frozen records that everything else speaks in. Pure: no I/O."""
