"""Every sampler has a picture, and the files are small."""

from __future__ import annotations

from pathlib import Path

import keyrng.distributions

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"


def test_every_sampler_has_a_picture() -> None:
    drawn = {path.stem for path in (PICTURES / "samplers").glob("*.svg")}

    assert drawn == set(keyrng.distributions.__all__)


def test_pictures_of_samplers_are_small_and_have_no_date() -> None:
    for path in (PICTURES / "samplers").glob("*.svg"):
        text = path.read_text("utf-8")

        assert len(text) < 15_000, path.name
        assert "dc:date" not in text, path.name
