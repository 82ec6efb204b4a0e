"""The one way in which a back end of the backup says no (SOP steps 6 and 8)."""


class Unusable(Exception):
    """Why a backup cannot be made, proven or put back here, in words for the report."""
