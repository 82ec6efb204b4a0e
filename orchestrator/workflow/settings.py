"""Where an office's files lie, and where a cycle's lie in the home folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.model.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """Paths of one call; `home` holds cycles and archive."""

    inventory: Path
    office: Path
    home: Path
    limit: str = ""
    become_password: str = field(default="", repr=False)  # for sudo; never stored

    @property
    def templates(self) -> Path | None:
        """The office's own report_templates/ beside office.yml; None: the shipped ones."""
        own = self.office.parent / "report_templates"
        return own if own.is_dir() else None

    def cycle_folder(self, cycle: str) -> Path:
        """The folder of a cycle."""
        return self.home / "cycles" / cycle

    def archive_folder(self, cycle: str) -> Path:
        """The folder of a cycle's archive."""
        return self.home / "archive" / cycle[:4] / cycle


def resolve(
    inventory: Path, office: Path | None = None, home: Path | None = None, limit: str = ""
) -> Settings:
    """Fill in the defaults: office.yml in the inventory's folder, `var/` beside that folder.

    For an inventory that does not lie in a folder named `inventory`, `var/` lies next to it.
    Raises UsageError when there is no inventory.
    """
    inventory = inventory.absolute()
    if not inventory.exists():
        raise UsageError(
            f"there is no inventory at {inventory}",
            "name one with --inventory PATH (an Ansible inventory file or folder)",
        )
    folder = inventory if inventory.is_dir() else inventory.parent
    if home is None:
        home = (folder.parent if folder.name == "inventory" else folder) / "var"
    return Settings(inventory, office or folder / "office.yml", home.absolute(), limit)
