"""Runs the SOP: inventory + office → check → plan → signatures → phases → evidence → archive."""
