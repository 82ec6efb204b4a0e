"""Runs phases on hosts; the only importer of ansible_runner."""
