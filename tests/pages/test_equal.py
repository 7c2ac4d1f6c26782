"""Equal in distribution is not equal, below arms of which one has no reconstruction, computed when it is opened."""

import math

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ablation import equal
from pages.ablation.equal import last_codes, of_coins, written
from pages.ui.shipped import ARMS
from tests.pages.conftest import ROUTER, checked
from vae_core.exact.coins import compare_codes
from vae_core.exact.estimate import Estimate
from vae_core.losses import gaussian_kl
from vae_core.runs.registry import Registry


def opened(**query: str) -> AppTest:
    at = AppTest.from_file(str(ROUTER), default_timeout=60)
    at.run().switch_page("ablation/page.py")
    for key, value in query.items():
        at.query_params[key] = value
    return checked(at.run())


def titles(at: AppTest) -> list[str]:
    return [box.label for box in at.expander]


def figure_in(cell: str) -> float:
    return float(cell.split(" ± ")[0].replace("−", "-"))


def test_it_stands_below_arms_of_which_one_has_no_reconstruction(registry: Registry) -> None:
    assert equal.TITLE in titles(opened()) and equal.TITLE not in titles(opened(arms="full,no-kl"))


def test_closed_it_computes_nothing(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal, "toss", lambda *_: pytest.fail("it tossed"))
    assert not opened().table


def test_its_link_opens_it_with_its_tosses(registry: Registry) -> None:
    at = opened(equal="1", tosses="100", toss="7")
    found = at.table[0].value
    coins = of_coins(100, 7)
    assert found["share that are equal"].tolist()[:2] == ["0", written(coins["coin X, and another coin"].equal)]
    at.button(key="equal toss").click()
    checked(at.run())
    assert "8" in at.query_params["toss"] and not at.table[0].value.equals(found)


def test_the_figures_of_the_coin_and_of_the_codes(registry: Registry) -> None:
    """The coin's in closed form; codes tell at most their KL, and are at most √(KL / 2) apart (Pinsker)."""
    found = opened(equal="1", tosses="10000", arms="full,no-reconstruction").table[0].value
    relabelled, other, full, dropped = found.itertuples(index=False)
    assert figure_in(relabelled[2]) == pytest.approx(math.log(2), abs=2e-3) and figure_in(relabelled[1]) == 0
    assert abs(figure_in(other[1]) - 0.5) < 0.02 and abs(figure_in(other[2])) < 2e-3
    assert figure_in(relabelled[0]) < 0.04 and figure_in(other[0]) < 0.03
    seen = last_codes(registry.get(ARMS[2]))
    assert seen is not None and registry.get(ARMS[2]).config.alpha == 0
    kl = gaussian_kl(torch.from_numpy(seen.ten_mu), torch.from_numpy(seen.ten_log_var)).mean().item()
    assert kl < 1e-3 and figure_in(dropped[2]) <= kl + 5e-4 and figure_in(dropped[0]) <= math.sqrt(kl / 2) + 5e-4
    assert 1 < figure_in(full[2]) <= math.log(10) and found.index[3].startswith("z of “no reconstruction”")


def test_an_arm_without_a_posterior_has_no_row(registry: Registry) -> None:
    names = opened(equal="1", arms="no-reconstruction,autoencoder").table[0].value.index
    assert len(names) == 3 and not any("autoencoder" in name for name in names)


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (Estimate(0.123456, 0.0321), "0.12 ± 0.03"),
        (Estimate(-0.0004, 0.0014), "−0.000 ± 0.001"),
        (Estimate(2.30258, 1e-9), "2.303"),
        (Estimate(-1e-9, 1e-9), "0.000"),
        (Estimate(0.0), "0"),
        (Estimate(0.5, 0.2), "0.5 ± 0.2"),
    ],
)
def test_no_more_digits_than_the_error_bears(figure: Estimate, text: str) -> None:
    assert written(figure) == text


def test_the_same_seed_gives_the_same_figures() -> None:
    mu = torch.randn(10, 2, generator=torch.Generator().manual_seed(0))
    assert compare_codes(mu, torch.zeros(10, 2), 1000, 3) == compare_codes(mu, torch.zeros(10, 2), 1000, 3)
    assert of_coins(100, 3) == of_coins(100, 3) and of_coins(100, 3) != of_coins(100, 4)
