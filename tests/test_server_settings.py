"""What the environment sets for a server, and what it says to nonsense."""

import pytest

from vae_core.runs import environment
from vae_core.runs import registry as registry_module


def test_a_visitor_counts_as_gone_after_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", "15")
    assert environment.default_patience() == 15
    monkeypatch.delenv("ELBO_ROOM_GONE_AFTER_S")
    assert environment.default_patience() == environment.GONE_AFTER_S


@pytest.mark.parametrize("asked", ["soon", "0", "-1", "nan", "inf"])
def test_nonsense_is_named_and_ten_minutes_hold(
    asked: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", asked)
    assert environment.default_patience() == environment.GONE_AFTER_S
    said = capsys.readouterr().err
    assert repr(asked) in said and "seconds" in said


def test_the_registry_of_the_server_takes_it(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("ELBO_ROOM_GONE_AFTER_S", "15")
    monkeypatch.setenv("ELBO_ROOM_RUNS", str(tmp_path))
    monkeypatch.setattr(registry_module, "_registry", None)
    mine = registry_module.shared()
    try:
        assert mine.gone_after_s == 15
    finally:
        mine.close()
