"""Step 12: the established report and the archive."""

from __future__ import annotations

from orchestrator.archive.bag import make_bag
from orchestrator.documents.names import DocumentName
from orchestrator.workflow.run import Run


def archive(run: Run) -> None:
    """SOP step 12: render the established report, bundle everything, record the manifest."""
    run.progress.step(run.state, 12)
    if not run.state.archive_manifest:
        run.document(DocumentName.REPORT, 12)
        target = run.settings.archive_folder(run.state.cycle)
        manifest = make_bag(run.book.folder, run.state, target)
        body = {"path": str(target.relative_to(run.settings.home)), "manifest_sha256": manifest}
        run.book.record("archive.made", body, step=12)
        run.progress.document(str(target))
    run.book.record("step.passed", step=12)
