"""A page that has been left says no more: what its parts still send would take its visitor back there.

A click on a link asks for the next page. Until its first word arrives the browser names the page before in all that it
sends. Streamlit 1.67 runs such a message of a fragment in its turn: under the page before, whose fragment is gone by
then, and the browser empties the next page (or, where both wait together, the page before is run again and the click
is lost).
"""

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg


class Whereabouts:
    """Which page one connection is on, and which it has left without naming another since."""

    def __init__(self) -> None:
        self.page, self.left = "", set[str]()  # a window that has just been opened has not named its page

    def is_late(self, sent: bytes) -> bool:
        """Take a message; returns whether a fragment sent it whose page has been left."""
        try:
            asked = BackMsg.FromString(sent).rerun_script
        except DecodeError:
            return False  # Streamlit says what is wrong with it
        page = asked.page_script_hash
        if not page:
            return False
        if asked.fragment_id:
            if page in self.left or ("" in self.left and page != self.page):
                return True
            self.left.clear()  # the browser names the new page: nothing of the others is on its way any more
        elif page == self.page:
            self.left.clear()
        elif "" in self.left:
            self.left = {self.page}  # what had no name has one
        else:
            self.left = (self.left | {self.page}) - {page}
        self.page = page
        return False


class LeftPages:
    """Drops what comes late from a page; the browser does not wait for it, as the next page answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not scope["path"].endswith("/_stcore/stream"):
            return await self.app(scope, receive, send)
        whereabouts = Whereabouts()

        async def receive_in_time() -> Message:
            while (message := await receive())["type"] == "websocket.receive":
                if not whereabouts.is_late(message.get("bytes") or b""):
                    break
            return message

        await self.app(scope, receive_in_time, send)
