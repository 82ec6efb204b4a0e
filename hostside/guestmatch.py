"""What every hypervisor's back end asks of a guest that it found by its UUID (SOP steps 6 to 8)."""

from hostside.outcome import one_line
from hostside.unusable import Unusable


def require(found, guest, name=""):
    """Raises Unusable unless `found` is surely the guest that asked: `{uuid, cards}`.

    `name` is what the office expects it to be called, where it does.
    """
    if name and found.name != name:
        raise Unusable("the guest with the UUID %s is %s, not %s (backup_domain)" % (
            found.uuid, one_line(found.name), one_line(name)))
    if not found.cards & set(guest["cards"]):
        raise Unusable("%s has no network card of the guest that asked: two machines may have "
                       "the same UUID" % one_line(found.name))


def require_running(found, state):
    """Raises Unusable unless the guest runs, as its state says."""
    if state[0] != "running":
        raise Unusable("%s does not run here" % one_line(found.name))
