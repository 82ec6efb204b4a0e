"""The names of transactions on hosts: what the program asks for, and what an audit expects."""

from __future__ import annotations

from orchestrator.journal.state import CycleState
from orchestrator.model.evidence import CHANGING, Phase
from orchestrator.model.plan import transaction_id


def transaction_of(state: CycleState, host: str, phase: Phase) -> str:
    """The id under which a host does a phase now; '' for phases that change nothing.

    An ordered restore is work of its own for each order.
    """
    if phase not in CHANGING:
        return ""
    order = state.restore_order(host) if phase is Phase.RESTORE else None
    work = str(phase) if order is None else f"{phase} by order {order.signature.seq}"
    return transaction_id(state.plan.id if state.plan is not None else "", host, work)
