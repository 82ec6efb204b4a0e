"""Making documents and archives again from the journal (nothing is lost by a lost file)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from orchestrator.archive.bag import make_bag, manifest_hash
from orchestrator.documents.names import DocumentName, RenderedDocument
from orchestrator.documents.render import render, write_atomically
from orchestrator.documents.templates import languages
from orchestrator.journal.bodies import OnDisk
from orchestrator.journal.book import CycleBook
from orchestrator.journal.fold import fold
from orchestrator.journal.state import CycleState, DocumentRecord
from orchestrator.journal.store import read_entries
from orchestrator.model.canonical import sha256_hex
from orchestrator.model.errors import CannotRunError, UsageError
from orchestrator.model.text import printable
from orchestrator.workflow.run import kept_copy
from orchestrator.workflow.settings import Settings

_LOST = (
    "is signed with a certificate and cannot be made again; "
    "put it back from a backup, the program left it as it is"
)


def documents_again(settings: Settings, folder: Path) -> Iterator[tuple[str, str]]:
    """Make every recorded document that is missing or changed again; yields (name, what was done).

    A PDF that was signed with a certificate is put back from its copy, never rendered.
    Any other document is rendered from the journal as it stood when it was first made, so it has
    the same bytes and its signature still holds. Where this version of the program gives other
    bytes, the new file is put beside as `NAME.new` and said so: a signed record is never replaced.
    """
    with CycleBook(folder) as book:
        records = list(book.state.documents.values())
        documents = folder / "documents"
        for record in records:
            path = documents / record.name
            if path.is_file() and sha256_hex(path.read_bytes()) == record.sha256:
                yield record.name, "unchanged"
                continue
            kept = _kept(settings, book.state, folder, record)
            if kept is not None:
                documents.mkdir(exist_ok=True)
                write_atomically(path, kept)
                yield record.name, "put back from the copy that was kept, the same bytes"
                continue
            if book.state.signed_pdf(record.name) is not None:
                yield record.name, _LOST
                continue
            state = _state_before(folder, record.seq)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".again-") as scratch:
                made = render(
                    DocumentName(record.name),
                    state,
                    Path(scratch),
                    templates=settings.templates,
                    assets=settings.office.parent,
                )
                if made.sha256 == record.sha256:
                    documents.mkdir(exist_ok=True)
                    made.path.replace(path)
                    yield record.name, "made again, the same bytes as recorded"
                else:
                    made.path.replace(documents / f"{record.name}.new")
                    yield (
                        record.name,
                        f"this version gives other bytes than recorded; see {record.name}.new",
                    )


def _kept(
    settings: Settings, state: CycleState, folder: Path, record: DocumentRecord
) -> bytes | None:
    """A recorded document's bytes from where a signed PDF is kept, or None."""
    candidates = [kept_copy(folder, record.sha256)]
    if state.archive_path and state.signed_pdf(record.name) is not None:
        candidates.append(settings.home / state.archive_path / "data/documents" / record.name)
    for path in candidates:
        if path.is_file() and sha256_hex(data := path.read_bytes()) == record.sha256:
            return data
    return None


def courtesy_copies(settings: Settings, folder: Path, language: str) -> Iterator[RenderedDocument]:
    """Write recorded PDFs and workbooks in another language under documents/LANGUAGE/; yields them.

    Courtesy copies are marked as translations, and are no records: they enter neither journal,
    gates nor archive. Raises UsageError where the templates do not have the language.
    """
    spoken = languages(settings.templates)
    if language not in spoken:
        raise UsageError(
            f"there are no courtesy copies in {printable(language, 20)!r}",
            f"the templates have: {', '.join(spoken) or 'no other language'}",
        )
    with CycleBook(folder) as book:
        for record in list(book.state.documents.values()):
            name = DocumentName(record.name)
            if not name.has_copies:
                continue
            yield render(
                name,
                _state_before(folder, record.seq),
                folder / "documents" / language,
                templates=settings.templates,
                assets=settings.office.parent,
                language=language,
            )


def _state_before(folder: Path, seq: int) -> CycleState:
    """The state as it was when journal entry `seq` was about to be written."""
    path = folder / "journal.db"
    return fold((e for e in read_entries(path) if e.seq < seq), OnDisk(path))


def archive_again(settings: Settings, folder: Path) -> str:
    """Make a closed cycle's archive again where it is missing; returns what was done.

    Raises UsageError before step 12, CannotRunError when the new one differs from the record.
    """
    with CycleBook(folder) as book:
        state = book.state
        if not state.archive_manifest:
            raise UsageError(
                f"cycle {state.cycle} has no archive yet",
                f"sop-run monthly --period {state.cycle} makes it in step 12",
            )
        target = settings.home / state.archive_path
        if target.exists() and manifest_hash(target) == state.archive_manifest:
            return f"{target} is there and is the one in the journal"
        if target.exists():
            raise CannotRunError(
                f"{target} is not the archive in the journal",
                "sop-run audit names what differs; move the folder away to make it again",
            )
        seq = next(e.seq for e in read_entries(folder / "journal.db") if e.kind == "archive.made")
        manifest = make_bag(folder, _state_before(folder, seq), target)
        if manifest != state.archive_manifest:
            raise CannotRunError(
                f"{target} was made again, but its manifest differs from the journal's",
                "this version of the program writes other bytes; keep both and say so",
            )
        return f"{target} was made again, the same as recorded"
