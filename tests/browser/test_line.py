"""A class on a device that trains one run at a time: who waits sees the place, and the lecturer does not wait."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import LECTURERS_KEY, serving
from tests.browser.test_live_training import step, until

WAITS = re.compile(r"waiting: place 1 of 1, about \d+ s")


def test_who_waits_sees_the_place_and_a_picture_and_gets_turns(opened):
    with serving(ELBO_ROOM_AT_ONCE="1") as (server, _):
        students = [opened(f"{server}/training") for _ in range(2)]
        for student in students:
            student.get_by_role("button", name="Start", exact=True).click()
        for student in students:  # they take turns of some seconds, so each waits at some time
            expect(student.locator("[data-part=status]")).to_have_text(WAITS, timeout=30_000)
            assert student.locator(".live").get_attribute("data-step") is not None  # its first picture is there
            until(student, lambda student=student: step(student) > 20, seconds=60)
            expect(student.get_by_role("button", name="Pause")).to_be_enabled()
        lecturer = opened(f"{server}/training?key={LECTURERS_KEY}")
        lecturer.get_by_role("button", name="Start", exact=True).click()
        expect(lecturer.locator("[data-part=status]")).to_have_text("running", timeout=30_000)
        until(lecturer, lambda: step(lecturer) > 20, seconds=60)
        for _ in range(10):
            expect(lecturer.locator("[data-part=status]")).to_have_text("running")
            lecturer.wait_for_timeout(300)
