"""A lecturer and a follower, each in a window of their own: the key, the run seen live, the move to the next one."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import LECTURERS_KEY, visit
from tests.browser.test_live_training import start, step, until


def go_to(page: Page, name: str) -> None:
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()


def test_a_class_sees_the_lecturers_run_live_and_moves_to_the_next_by_itself(opened, server):
    lecturer = opened(f"{server}/?key={LECTURERS_KEY}")
    expect(lecturer.get_by_text("The key was taken")).to_be_visible(timeout=20_000)
    assert LECTURERS_KEY not in lecturer.url
    asked: list[str] = []
    student = opened(f"{server}/training?follow=1", color_scheme="dark")
    student.on("websocket", lambda socket: asked.append(socket.url))
    waits = student.get_by_text("The lecturer shows no run yet.")
    expect(waits).to_be_visible(timeout=20_000)

    go_to(lecturer, "Live training")
    start(lecturer, beyond=2)
    expect(student.get_by_text("You see the lecturer's run")).to_be_visible(timeout=20_000)
    expect(student.locator("[data-part=status]")).to_have_text("running", timeout=20_000)
    at = step(student)
    until(student, lambda: step(student) > at + 5)
    names = student.get_by_test_id("stMain").get_by_role("button").all_inner_texts()
    assert not {"Start", "Start anew", "Pause", "Step", "Stop", "Reset"} & {name.split("\n")[-1] for name in names}
    first = re.search(r"run=([\w-]+)", lecturer.url).group(1)
    assert any(f"/live/{first}" in url for url in asked) and student.url.endswith("/training?follow=1")

    lecturer.get_by_role("button", name="Start anew").click()
    lecturer.wait_for_url(lambda url: "run=" in url and first not in url, timeout=20_000)
    second = re.search(r"run=([\w-]+)", lecturer.url).group(1)
    until(student, lambda: any(f"/live/{second}" in url for url in asked), seconds=20)
    until(student, lambda: 0 < step(student) < at + 1000 and step(student) <= step(lecturer) + 50, seconds=20)
    assert len([url for url in asked if "/live/" in url]) == 2  # one stream a run, and none asked for again

    link = lecturer.locator(".classlink code")
    expect(link).to_have_text(f"{server}/training?follow=1")
    go_to(lecturer, "Engine room")
    expect(lecturer.get_by_text("lecturer", exact=True)).to_be_visible(timeout=20_000)
    lecturer.get_by_role("button", name="Stop").first.click()
    expect(student.locator("[data-part=status]")).to_have_text("stopped", timeout=30_000)
    expect(student.locator("[data-part=message]")).to_have_text("The lecturer has stopped this run.")

    student.get_by_role("button", name="Train your own").click()
    expect(student.get_by_role("button", name="Start")).to_be_visible(timeout=20_000)
    assert "follow" not in student.url


def test_the_link_is_copied_where_browsers_know_only_the_old_way(opened, server):
    page = opened(f"{server}/room?key={LECTURERS_KEY}")
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', { value: undefined })")  # as over plain http
    page.evaluate("() => document.addEventListener('copy', ({ target }) => (window.copied = target.value))")
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("window.copied") == f"{server}/training?follow=1"


def test_the_engine_room_is_closed_to_others(opened, server):
    page = opened(f"{server}/room")
    expect(page.get_by_text("This page is for the lecturer")).to_be_visible(timeout=20_000)
    expect(page.get_by_test_id("stTopNavLink").filter(has_text="Engine room")).to_have_count(0)
    visit(page, f"{server}/?key=another-key-than-that")
    expect(page.get_by_text("This is not the key of this server")).to_be_visible(timeout=20_000)
    assert "key" not in page.url
