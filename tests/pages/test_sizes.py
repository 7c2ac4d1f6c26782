"""Autoencoder against VAE on the Dose section: read and drawn when it is opened, and a sentence where it is damaged."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.ablation import sizes
from tests.pages.conftest import ROUTER, checked
from vae_core.runs.registry import Registry
from vae_core.sizes import FIGURES, read_sizes


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("ablation/page.py")
    for key, value in {"section": "dose", **query}.items():
        at.query_params[key] = value
    return checked(at.run())


def test_closed_it_reads_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "read_sizes", lambda folder: pytest.fail("it was read"))
    assert sizes.TITLE in [box.label for box in opened().expander]


def test_its_link_opens_it(registry: Registry) -> None:
    at, found = opened(sizes="1"), read_sizes(sizes.FOLDER)
    said = next(caption.value for caption in at.caption if "Made by" in caption.value)
    assert sizes.told(pd.DataFrame(found.record["rows"])) in said and found.record["command"] in said
    assert len(at.get("plotly_chart")) == 3  # with that of the dose


def test_a_damaged_row_is_said_in_a_sentence(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(sizes.FOLDER, tmp_path / "sizes")
    (tmp_path / "sizes" / FIGURES).write_text('{"rows": []}')
    monkeypatch.setattr(sizes, "FOLDER", tmp_path / "sizes")
    assert "is not whole: restore it" in opened(sizes="1").error[0].value
