"""What the environment sets for a server, and what it says to nonsense."""

from __future__ import annotations

import pytest

from vae_core import runs


def test_a_visitor_counts_as_gone_after_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", "15")
    assert runs.default_patience() == 15
    monkeypatch.delenv("ELBO_ROOM_GONE_AFTER_S")
    assert runs.default_patience() == runs.GONE_AFTER_S


@pytest.mark.parametrize("asked", ["soon", "0", "-1", "nan", "inf"])
def test_nonsense_is_named_and_ten_minutes_hold(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", asked)
    assert runs.default_patience() == runs.GONE_AFTER_S
    said = capsys.readouterr().err
    assert repr(asked) in said and "seconds" in said


def test_the_registry_of_the_server_takes_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", "15")
    monkeypatch.setenv("ELBO_ROOM_RUNS", str(tmp_path))
    monkeypatch.setattr(runs, "_registry", None)
    mine = runs.registry()
    try:
        assert mine.gone_after_s == 15
    finally:
        mine.close()
