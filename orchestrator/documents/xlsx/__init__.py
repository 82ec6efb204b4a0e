"""Content → Excel workbooks."""
