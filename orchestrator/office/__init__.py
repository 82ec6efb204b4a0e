"""Reads and validates what an office owns: office.yml."""
