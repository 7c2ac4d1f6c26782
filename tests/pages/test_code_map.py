"""A VQ-VAE on the pages: its own settings and three curves on Live training, its own way in the explorer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from streamlit.testing.v1 import AppTest

from pages.explorer.ways import WAYS
from pages.training.figures import history_figure
from pages.training.result import figures_of
from pages.training.take_home import story_of
from pages.ui import shipped
from pages.ui.terms import describe
from tests.node_runner import node_runner
from tests.pages.conftest import ROUTER, checked, own_components
from tests.report_reader import parse
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.runs import registry as runs
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord
from vae_core.runs.snapshot_file import read_snapshot
from vae_core.runs.storage import frame_file

NAME = "mnist-vq"


@pytest.fixture
def node(tmp_path: Path) -> Callable[..., Any]:
    return node_runner(tmp_path, "live/html")


def test_it_is_trained_with_its_three_curves(training: AppTest, registry: Registry) -> None:
    training.selectbox(key="model").set_value("vq")
    checked(training.run())
    keys = {box.key for box in [*training.selectbox, *training.get("button_group"), *training.number_input]}
    assert "likelihood" not in keys and "codebook_size" in keys
    training.number_input(key="codebook_size").set_value(16)
    checked(training.run())
    checked(training.button(key="start").click().run())
    (run,) = registry.of("tester")
    wait_for(lambda: run.step > 0)
    assert (run.config.model, run.config.net, run.config.codebook_size) == ("vq", "conv", 16)
    assert run.columns["train"] == ("step", "nll", "codebook", "commitment", "loss")
    checked(training.run())
    assert training.query_params["codebook_size"] == "16" and training.toggle(key="kl_on").disabled
    weights = {box.key: box.value for box in training.number_input if box.key.startswith("weight of ")}
    assert weights == {"weight of codebook": 1.0, "weight of commitment": 0.25}
    final = shipped.cards()[NAME]["test"]
    shown = list(figures_of(final, run))
    assert [label for label, *_ in shown] == [
        "Reconstruction (nats)",
        "Codebook (squared distance)",
        "Commitment (squared distance)",
        "Codes in use",
    ]
    assert shown[-1][1:] == ("64 of 16", f"perplexity {final['perplexity']:.1f}")  # the figures are of another one


def test_what_its_view_is_told() -> None:
    told = describe(RunConfig(model="vq", net="conv"))
    assert [term["name"] for term in told["terms"]] == ["nll", "codebook", "commitment"]
    assert [term.get("unit") for term in told["terms"]] == [None, "squared distance", "squared distance"]
    assert told["codebook"] == 64 and not (told["bound"] or told["posterior"] or told["codes"])
    assert "codebook" not in describe(RunConfig())


@pytest.mark.parametrize("way", ["codes", "pad"])
def test_the_explorer_opens_it_in_its_own_geometry(way: str, registry: Registry) -> None:
    """Whatever way the link asks for; back at a VAE the ways of a latent space are there again."""
    at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
    at.query_params["model"], at.query_params["way"] = NAME, way
    at.session_state["code of the way"] = True
    at.switch_page("explorer/page.py")
    checked(at.run())
    said = "\n".join(e.value for e in [*at.caption, *at.markdown])
    assert WAYS["codes"].ask in said and shipped.title_of(NAME) in said and "56.9 ± 0.1 nats" in said
    assert list(at.segmented_control(key="explorer way").options) == ["Code map"]
    assert "return z_e + (z_q - z_e).detach()" in "\n".join(block.value for block in at.code)
    assert len(own_components(at)) == 1
    checked(at.selectbox(key="explorer model").set_value(shipped.PLANE).run())
    assert "Code map" not in at.segmented_control(key="explorer way").options and not at.warning


def test_the_shipped_run_can_be_watched_and_taken_home(home: AppTest) -> None:
    shipped.register_all()  # as the server does when it starts
    home.query_params["run"] = NAME
    home.session_state["code"] = home.session_state["take_home"] = True
    home.switch_page("training/page.py")
    checked(home.run())
    labels = [metric.label for metric in home.metric]
    assert labels[0] == "Reconstruction (nats)" and labels[-1] == "Codes in use"
    assert shipped.title_of(NAME) in "\n".join(e.value for e in home.caption)
    files = [button.proto.label for button in home.get("download_button")]
    assert files == ["Report (HTML)", "Everything (zip)", "History (CSV)"]  # no script: it repeats a VAE
    run = runs.shared().get(NAME)
    assert run is not None
    words = parse(story_of(run)).words()
    assert "A VQ-VAE (network conv, 7 × 7 codes an image, a codebook of 64" in words and "no ELBO" in words
    assert f"perplexity {run.final['perplexity']:.1f}" in words
    figure = history_figure(run, dark=False)
    assert [line.name for line in figure.data][::2] == ["train reconstruction", "train codebook", "train commitment"]
    assert "squared distance" in figure.layout.yaxis.title.text and "ELBO" not in str(figure)


def test_its_perplexity_is_a_curve_of_the_shipped_film(node: Callable[..., Any]) -> None:
    """The values of the history, one a snapshot, and in a frame those of its map images, by the names of the view."""
    scale = describe(RunConfig(model="vq", net="conv"))["scales"][0]
    series, note = node("print([html.scalesOf(given), html.scaleNoteOf(given)]);", {"scales": [scale], "codebook": 64})
    assert [one["name"] for one in series] == ["test.perplexity"] and series[0]["unit"] == "codes"
    assert note[0] == "of 64 codes, test"
    run = RunRecord.load(shipped.CHECKPOINTS / NAME)
    column = run.columns["test"].index("perplexity")
    shown = load_file(shipped.CHECKPOINTS / NAME / "curves.safetensors")["test"][:, [0, column]]
    frames = [read_snapshot(frame_file(run.film_folder, step)) for step in run.film]
    assert shown[:, 0].tolist() == [float(frame.step) for frame in frames]
    np.testing.assert_allclose(shown[:, 1], [frame.usage["perplexity"] for frame in frames], rtol=1e-5)
