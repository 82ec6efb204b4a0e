"""Journal state → content of a document → xlsx, pdf."""

from orchestrator.documents.names import DocumentName, RenderedDocument
from orchestrator.documents.render import render

__all__ = ["DocumentName", "RenderedDocument", "render"]
