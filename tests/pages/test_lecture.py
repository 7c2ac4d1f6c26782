"""The lecture: eight scenes by their links and by Next, each as its link says, and the presentation mode."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.lecture.scenes import MINUTES, SCENES, scene_query
from tests.pages.conftest import checked
from tests.pages.linked import shown
from vae_core.runs.registry import Registry

pytestmark = pytest.mark.usefixtures("registry")


def button(at: AppTest, key: str) -> AppTest:
    return checked(at.button(key=key).click().run())


def title(at: AppTest) -> str:
    return next((m.value for m in at.markdown if m.value.startswith("**") and " · " in m.value), "")


def test_it_fits_a_double_hour_and_each_scene_asks_first() -> None:
    assert len(SCENES) == 8 and MINUTES == 90
    for scene in SCENES:
        assert scene.question.endswith("?") and scene.answer.count(". ") <= 1 and scene.so.count(". ") == 0
        assert all(text.endswith(".") for text in (scene.answer, scene.press, scene.see, scene.so))


@pytest.mark.parametrize("number", range(1, 9))
def test_a_link_opens_a_scene_with_its_question_and_keeps_it_in_the_address(number: int) -> None:
    scene = SCENES[number - 1]
    at = shown(scene.page, scene_query(number))
    assert title(at) == f"**{number} · {scene.title}.** {scene.question}" and not at.warning
    assert at.query_params["scene"] == [str(number)] or at.query_params["scene"] == str(number)
    if "section" in scene.query:
        assert at.session_state[f"{scene.page} section"] == scene.query["section"]


def test_next_and_back_lead_through_all_of_it_and_begin_each_scene_anew(registry: Registry) -> None:
    at = shown("elbo", scene_query(1))
    checked(at.segmented_control(key="elbo section").set_value("kl").run())
    at = button(at, "scene next")
    assert title(at).startswith("**2") and at.session_state["elbo section"] == "bound"
    checked(at.segmented_control(key="elbo section").set_value("code").run())
    at = button(button(at, "scene back"), "scene next")
    assert at.session_state["elbo section"] == "bound"  # not where the class had wandered off to
    for number in range(3, 9):
        at = button(at, "scene next")
        assert title(at).startswith(f"**{number} · {SCENES[number - 1].title}")
    at = button(at, "scene next")  # the overview
    assert not title(at) and "scene" not in at.query_params
    assert len([link for link in at.get("page_link") if " · " in link.proto.label]) == 8


def test_whoever_ends_it_stays_on_the_page_without_it(registry: Registry) -> None:
    at = button(shown("elbo", scene_query(2)), "scene end")
    assert not title(at) and "scene" not in at.query_params and at.session_state["elbo section"] == "bound"
    unknown = shown("elbo", {"scene": "9"})
    assert not title(unknown)


def test_the_presentation_mode_is_a_key_and_in_the_link(registry: Registry) -> None:
    at = shown("elbo", scene_query(2))
    at = button(at, "scene present")
    assert at.query_params["present"] in ("1", ["1"])
    assert any("font-size: 24px" in h.proto.body for h in at.get("html"))
    again = shown("elbo", scene_query(2) | {"present": "1"})
    assert any("font-size: 24px" in h.proto.body for h in again.get("html"))
    again = button(button(again, "scene next"), "scene present")
    assert "present" not in again.query_params and title(again).startswith("**3")
