"""What travels over the live route: the message of a run."""

from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from pages.ui.live.socket import pack
from tests.live_message import all_news, unpack
from vae_core.config import LiveSettings, RunConfig
from vae_core.runs.messages import RUNNING
from vae_core.runs.registry import Registry
from vae_core.trainer import Mark


def test_a_message_is_read_by_safetensors_and_by_hand(
    fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    tell(1, 7, snapshot=snapshot_at(7), marks=(Mark(3, "beta 1 → 0 at step 3", LiveSettings(beta=0.0)),))
    message = pack(all_news(fake_registry, live_run))
    news, arrays = unpack(message)
    library = safetensors.numpy.load(message)
    assert arrays.keys() == library.keys()
    assert all(np.array_equal(arrays[k], library[k]) and arrays[k].dtype == library[k].dtype for k in arrays)
    assert (news["run"], news["fresh"], news["status"], news["step"]) == (live_run, True, RUNNING, 7)
    assert news["config"] == RunConfig(device="cpu", latent_dim=3).to_dict()
    assert [(mark["step"], mark["text"]) for mark in news["marks"]] == [(3, "beta 1 → 0 at step 3")]


def test_the_arrays_are_those_of_the_snapshot(
    fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    taken = snapshot_at(7)
    tell(1, 7, snapshot=taken)
    news, arrays = unpack(pack(all_news(fake_registry, live_run)))
    for name in ("originals", "reconstructions", "prior_draws", "labels", "kl_dims"):
        assert np.array_equal(arrays[name], getattr(taken, name)), name
    assert arrays["active"].tolist() == [1, 0, 1]
    assert arrays["train"][:, 0].tolist() == list(range(1, 8)) and arrays["test"].tolist() == [[7, 150.5, 6.25, 0.5, 2]]
    assert news["snapshot"]["terms"]["nll"] == 150.5 and news["snapshot"]["scales"] == {}


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_codes_travel_to_a_precision_finer_than_a_pixel(
    scale: float, fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    taken = snapshot_at(1, xy=snapshot_at().xy * np.float32(scale))
    tell(1, 1, snapshot=taken)
    news, arrays = unpack(pack(all_news(fake_registry, live_run)))
    found = arrays["xy"] * news["snapshot"]["xyUnit"]
    assert np.abs(found - taken.xy).max() <= np.abs(taken.xy).max() / 30_000


def test_codes_at_one_point_are_packed_too(fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any) -> None:
    tell(1, 1, snapshot=snapshot_at(1, xy=np.zeros_like(snapshot_at().xy)))
    assert not unpack(pack(all_news(fake_registry, live_run)))[1]["xy"].any()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_figures_that_are_no_numbers_do_not_break_the_message(
    fake_registry: Registry, live_run: str, tell: Any, snapshot_at: Any
) -> None:
    """JSON knows no NaN: a browser that gets one drops the whole message, rows and all."""
    nowhere = np.full_like(snapshot_at().xy, np.nan)
    tell(
        1,
        1,
        snapshot=snapshot_at(1, terms={"nll": float("nan"), "kl": float("inf")}, mean_std=float("nan"), xy=nowhere),
    )
    news, _ = unpack(pack(all_news(fake_registry, live_run)))
    assert news["snapshot"]["terms"] == {"nll": None, "kl": None}
