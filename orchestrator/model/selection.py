"""Which of a host's pending items an incidental cycle is about (`sop-run remediate`). Pure."""

from __future__ import annotations

from orchestrator.model.evidence import EvidenceItem, Record


class Selection(Record):
    """Filters on items; an item must meet every kind of filter that is given, by any of its values.

    Without filters everything that is pending is in scope, as in a monthly cycle.
    """

    security: bool = False
    packages: tuple[str, ...] = ()  # exact names
    cves: tuple[str, ...] = ()  # CVE or advisory ids, in upper case

    @property
    def is_everything(self) -> bool:
        """Whether nothing is filtered."""
        return not (self.security or self.packages or self.cves)

    def takes(self, item: EvidenceItem) -> bool:
        """Whether an item is in scope."""
        if self.security and item.kind != "security":
            return False
        if self.packages and item.name not in self.packages:
            return False
        return not self.cves or bool(
            {advisory.upper() for advisory in item.advisories} & set(self.cves)
        )

    def words(self) -> str:
        """The filters in one line, as they are typed; '' for none."""
        parts = ["--security"] if self.security else []
        parts += [f"--package {name}" for name in self.packages]
        parts += [f"--cve {number}" for number in self.cves]
        return " ".join(parts)


EVERYTHING = Selection()
"""No filter: all that is pending."""
