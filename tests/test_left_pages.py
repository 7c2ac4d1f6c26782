"""What a page that has been left still sends is dropped, and nothing else is."""

import asyncio

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.ui.web.left_pages import LeftPages

HOME, TRAINING, PLANE = "hash of home", "hash of training", "hash of the plane"


def sent(page: str, fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    return message.SerializeToString()


def heard(*messages: bytes, path: str = "/_stcore/stream") -> list[bytes]:
    """What Streamlit receives of what a browser sends."""
    waiting = [{"type": "websocket.connect"}, *({"type": "websocket.receive", "bytes": m} for m in messages)]
    waiting.append({"type": "websocket.disconnect"})
    received = []

    async def receive():
        return waiting.pop(0)

    async def app(_scope, receive, _send):
        while (message := await receive())["type"] != "websocket.disconnect":
            received.append(message)

    asyncio.run(LeftPages(app)({"type": "websocket", "path": path}, receive, None))  # type: ignore[arg-type]
    assert received.pop(0)["type"] == "websocket.connect"
    return [message["bytes"] for message in received]


START = sent("", "")  # a window that has just been opened names a page by its address


def test_a_fragment_of_the_page_before_is_not_heard_after_the_next_was_asked_for() -> None:
    before = [START, sent(TRAINING, "lesson"), sent(TRAINING), sent(TRAINING, "lesson"), sent(HOME)]
    after = [sent(HOME, "stage"), sent(HOME)]
    assert heard(*before, sent(TRAINING, "lesson"), sent(TRAINING, "explain"), *after) == before + after


def test_below_a_prefix_too_and_no_other_connection_is_touched() -> None:
    late = [sent(TRAINING, "lesson"), sent(HOME), sent(TRAINING, "lesson")]
    assert heard(*late, path="/labs/_stcore/stream") == late[:2]
    assert heard(*late, path="/live/run") == late


def test_who_goes_on_before_a_page_has_come_leaves_both() -> None:
    on = [sent(TRAINING, "lesson"), sent(HOME), sent(PLANE)]
    assert heard(*on, sent(TRAINING, "lesson"), sent(HOME, "stage"), sent(PLANE, "curve")) == [
        *on,
        sent(PLANE, "curve"),
    ]


def test_a_page_that_was_left_before_it_had_named_itself_is_not_heard_either() -> None:
    on = [START, sent(HOME)]
    after = [sent(HOME, "stage"), sent(HOME)]
    assert heard(*on, sent(TRAINING, "lesson"), *after) == on + after
    back = [START, sent(HOME), sent(TRAINING)]  # a button of it was pressed after the link
    assert heard(*back, sent(HOME, "stage"), sent(PLANE, "curve")) == [*back, sent(PLANE, "curve")]
    first = [START, sent(TRAINING, "lesson"), sent(TRAINING)]
    assert heard(*first) == first


@pytest.mark.parametrize(
    "back",
    [
        [sent(TRAINING), sent(TRAINING, "lesson")],  # by a link
        [sent(HOME, "bar"), sent(TRAINING, "lesson")],  # by a button: the server turns the page, which no message says
        [sent(HOME), sent(TRAINING, "lesson")],  # by a button outside every fragment
    ],
)
def test_who_comes_back_is_heard(back: list[bytes]) -> None:
    all_of_it = [sent(TRAINING, "lesson"), sent(HOME), *back, sent(TRAINING, "lesson")]
    assert heard(*all_of_it) == all_of_it


def test_what_is_no_message_of_streamlits_reaches_it_as_it_is() -> None:
    stop = BackMsg(stop_script=True).SerializeToString()
    assert heard(b"\xff\xff\xff", b"", stop) == [b"\xff\xff\xff", b"", stop]
