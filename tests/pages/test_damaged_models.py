"""Pages over a damaged model that ships: it is not offered, and without the main one there is a sentence."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.elbo import warm
from pages.ui import shipped
from pages.ui.shipped import PLANE
from tests.pages.conftest import ROUTER, checked, own_components
from vae_core.runs.registry import Registry

BETA4 = "mnist-vae-beta4-mlp-2"


def without_figures(folder: Path) -> None:
    """A card that is whole but for its test figures."""
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    del card["test"]
    path.write_text(json.dumps(card), encoding="utf-8")


def opened(page: str, **query: str) -> AppTest:
    at = checked(AppTest.from_file(str(ROUTER), default_timeout=60).run())
    for name, value in query.items():
        at.query_params[name] = value
    at.switch_page(page)
    return checked(at.run())


def test_the_explorer_does_not_offer_it_and_the_others_work(copied_models: Path, registry: Registry) -> None:
    without_figures(copied_models / BETA4)
    at = opened("explorer/page.py")
    offered = at.selectbox(key="explorer model")
    assert len(offered.options) == 9 and not any("beta 4" in option for option in offered.options)
    assert len(own_components(at)) == 1 and not at.error
    checked(offered.set_value("mnist-ae-mlp-2").run())
    assert "132.6 ± 0.5 nats per image" in "\n".join(caption.value for caption in at.caption)


def test_a_link_to_it_says_so_and_shows_no_other(copied_models: Path, registry: Registry) -> None:
    without_figures(copied_models / BETA4)
    at = opened("explorer/page.py", model=BETA4)
    assert len(at.warning) == 1 and BETA4 in at.warning[0].value
    assert not own_components(at)
    checked(at.button(key="do without").click().run())
    assert at.selectbox(key="explorer model").value == PLANE


def test_the_elbo_page_does_not_offer_it(copied_models: Path, registry: Registry) -> None:
    without_figures(copied_models / BETA4)
    at = opened("elbo/page.py")
    assert at.selectbox(key="elbo model").options == ["VAE, mlp, 2 latents", "VAE, mlp, 2 latents, Gaussian, sigma 0.2"]


@pytest.mark.parametrize("page", ["home/page.py", "elbo/page.py", "explorer/page.py", "training/page.py"])
def test_without_the_main_model_every_page_opens(page: str, copied_models: Path, registry: Registry) -> None:
    without_figures(copied_models / PLANE)
    at = opened(page)
    said = [e.value for e in [*at.error, *at.warning]]
    if page == "home/page.py":
        assert said == [shipped.missing(PLANE)]
    elif page == "explorer/page.py":
        assert said == [f"{shipped.missing(PLANE)} Another model is shown."]
        assert at.selectbox(key="explorer model").value == BETA4
    elif page == "elbo/page.py":
        assert said == [] and at.selectbox(key="elbo model").value == BETA4
    warm.warm_up()  # nothing to warm, and no error in its thread


@pytest.mark.parametrize("page", ["home/page.py", "elbo/page.py", "explorer/page.py"])
def test_without_any_model_there_is_a_sentence(page: str, copied_models: Path, registry: Registry) -> None:
    for folder in copied_models.iterdir():
        without_figures(folder)
    at = opened(page)
    assert [e.value for e in at.error] == [shipped.missing(PLANE)]
    assert shipped.missing(PLANE) == (
        "The model mnist-vae-mlp-2 cannot be read: restore the folder checkpoints/mnist-vae-mlp-2 and start the server "
        "again."
    )
