"""The procedure, read top to bottom like the SOP."""
