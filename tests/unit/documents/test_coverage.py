"""The characters of the shipped fonts, and what becomes of all others."""

from __future__ import annotations

import pytest

from orchestrator.documents.pdf.coverage import covered, showable, showable_data
from orchestrator.documents.templates import SHIPPED
from orchestrator.model.errors import CannotRunError

HAVE = covered(SHIPPED / "fonts")


def test_the_fonts_have_what_the_templates_write():
    assert set("AZaz09–…□→×≥éüñ°“”‘’·") <= HAVE
    assert not {"😀", "软", "ש", "\0"} & HAVE


def test_what_cannot_be_shown_is_a_box():
    assert showable("paket-😀 软 שלום é", HAVE) == "paket-□ □ □□□□ é"
    assert showable_data({"a": ["软", 1, None], "b": ("x",)}, HAVE) == {
        "a": ["□", 1, None],
        "b": ["x"],
    }


def test_a_missing_or_broken_font_is_named(tmp_path):
    with pytest.raises(CannotRunError, match="there is no font"):
        covered(tmp_path)
    (tmp_path / "x.ttf").write_bytes(b"no font")
    with pytest.raises(CannotRunError, match=r"x\.ttf: is not a readable"):
        covered(tmp_path)
