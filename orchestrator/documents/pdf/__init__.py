"""Content → PDF/A-3b, set by typst."""
