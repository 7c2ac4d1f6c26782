"""The page of the plane: what its widgets do to the run behind them, and the figures that it says."""

import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.plane import actions
from pages.ui.plane import view
from tests.pages.conftest import ROUTER, checked
from tests.waiting import wait_for
from vae_core.config import RunConfig
from vae_core.data import points
from vae_core.runs.messages import FINISHED, PAUSED
from vae_core.runs.registry import Registry
from vae_core.runs.run_record import RunRecord

BASE = RunConfig(
    dataset="ring", likelihood="gaussian", latent_dim=1, widths="64-64", activation="tanh", batch_size=100
).with_(steps=20_000, sigma=0.15)
CROSS = "\n".join(f"{0.1 * i:.1f}, {-0.1 * i:.1f}" for i in range(-9, 9))


@pytest.fixture
def plane(home: AppTest) -> AppTest:
    home.switch_page("plane/page.py")
    return checked(home.run())


@pytest.fixture
def opened(registry: Registry) -> Callable[..., AppTest]:
    """The page by a link."""

    def open_it(**asked: str) -> AppTest:
        at = AppTest.from_file(str(ROUTER), default_timeout=60).run()
        at.switch_page("plane/page.py")
        for name, value in asked.items():
            at.query_params[name] = value
        return checked(at.run())

    return open_it


def start(at: AppTest, registry: Registry) -> RunRecord:
    checked(at.button(key="plane start").click().run())
    group = registry.groups_of("tester")[0]
    (run,) = registry.members(group)
    return run


def said(at: AppTest) -> str:
    return " ".join(element.value for element in [*at.caption, *at.warning])


def test_settings_become_the_run_and_the_link(plane: AppTest, registry: Registry) -> None:
    assert "Press **Start**" in said(plane) and plane.button(key="plane pause").disabled
    plane.selectbox(key="plane set").set_value("moons")
    plane.segmented_control(key="plane latent_dim").set_value(2)
    plane.number_input(key="plane points").set_value(80)
    plane.number_input(key="plane seed").set_value(4)
    plane.number_input(key="plane sigma").set_value(0.4)
    plane.toggle(key="plane learn_sigma").set_value(True)
    plane.number_input(key="plane beta").set_value(0.5)
    plane.number_input(key="plane steps").set_value(50_000).run()
    run = start(plane, registry)
    changed = {"latent_dim": 2, "sigma": 0.4, "likelihood": "gaussian-learned", "beta": 0.5, "seed": 4}
    assert run.config == BASE.with_(dataset="moons-80-4", steps=50_000, **changed)
    wanted = {"set": "moons", "points": "80", "seed": "4", "learn_sigma": "1", "run": run.group}
    assert wanted.items() <= plane.query_params.items()
    wait_for(lambda: run.step > 0)
    plane.number_input(key="plane beta").set_value(3.0).run()  # taken at once
    wait_for(lambda: run.settings.beta == 3.0)
    checked(plane.button(key="plane pause").click().run())
    wait_for(lambda: run.status == PAUSED)
    before = run.step
    checked(plane.button(key="plane step").click().run())
    wait_for(lambda: run.step == before + 1 and run.status == PAUSED)
    checked(plane.button(key="plane reset").click().run())
    wait_for(lambda: (run.step, run.generation) == (0, 1))
    assert registry.of("tester") == []  # no page of images takes it for one of its runs


def test_at_the_end_it_says_the_figures_of_the_run(opened: Callable[..., AppTest], registry: Registry) -> None:
    at = opened(steps="100", points="60", beta="7")
    run = start(at, registry)
    assert run.config == BASE.with_(dataset="ring-60-0", steps=100, beta=7.0)
    wait_for(lambda: run.status == FINISHED and run.final)
    checked(at.run())
    found = re.search(r"ELBO (−[\d.]+) \+ gap ([\d.]+) = log p\(x\) (−[\d.]+) nats", said(at))
    assert found is not None and run.final is not None and run.snapshot is not None
    elbo, gap, log_p = (float(text.replace("−", "-")) for text in found.groups())
    assert (elbo, log_p) == pytest.approx((run.final["exact_elbo"], run.final["exact_log_p"]), abs=6e-4)
    assert elbo + gap == pytest.approx(log_p, abs=2e-3) and gap > 0
    assert run.snapshot.exact["exact_log_p"] == pytest.approx(log_p, abs=6e-4)
    link = dict(run=run.group)
    assert "At the end" in said(opened(**link))
    assert "not here" in said(opened(run="nobody"))


def test_points_are_drawn_pasted_and_linked(
    plane: AppTest, opened: Callable[..., AppTest], registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane.selectbox(key="plane set").set_value("drawn").run()
    checked(plane.button(key="plane start").click().run())
    assert "Draw at least 12 points first" in said(plane) and not registry.groups_of("tester")
    plane.text_area(key=actions.PASTED).set_value("1 2 3").run()
    assert "Line 1 holds no point" in said(plane)
    plane.text_area(key=actions.PASTED).set_value(CROSS).run()
    name = points.keep(points.parse(CROSS).tolist())
    assert plane.query_params["drawn"] == name
    run = start(plane, registry)
    assert run.config.dataset == name
    monkeypatch.setattr(view, "pad", lambda given, **_: [[x, 0.5] for x, _ in given])  # a hand that moves them
    linked = opened(set="drawn", drawn=name)
    moved = linked.session_state["plane drawn"]
    assert moved != name and points.drawn(moved)[:, 1].tolist() == [0.5] * 18
    monkeypatch.setattr(view, "pad", lambda *_, **__: None)  # nobody has drawn
    assert "are not on this server" in said(opened(set="drawn", drawn=f"drawn-{'0' * 24}"))
