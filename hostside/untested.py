"""Back ends that never ran against the real thing, and the office's consent to them (SOP step 6).

A whole machine put back by such code is too much to come by accident: the inventory must say
`backup_untested: true`, and the record of each backup says it again.
"""

NEVER_TRIED = {"proxmox": "Proxmox VE", "vmware": "VMware vSphere"}
CONSENT = "backup_untested"


def words(kind):
    """The sentence that says so; "" for a back end that was tried."""
    if kind not in NEVER_TRIED:
        return ""
    return ("UNTESTED: the back end %s was written from the vendor's documentation and never tried "
            "on a real %s" % (kind, NEVER_TRIED[kind]))


def reason_against(kind, options):
    """Why such a back end may not be used; "" where it may, with the office's own consent."""
    if kind not in NEVER_TRIED or options.get("untested") is True:
        return ""
    return "%s; without %s: true in the inventory it is refused" % (words(kind), CONSENT)
