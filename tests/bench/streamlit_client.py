"""A browser window without a browser: speaks Streamlit's own protocol over its websocket."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from pages.ui.visitor import COOKIE

PATIENCE_S = 60.0
_BROKEN = ForwardMsg.ScriptFinishedStatus.FINISHED_WITH_COMPILE_ERROR
_DONE = (
    ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY,
    ForwardMsg.ScriptFinishedStatus.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


@dataclass
class Window:
    """One page of one visitor.

    Attributes:
        widgets: what is on the page, by the key or label that names it. errors: exceptions that the page showed.
    """

    url: str
    visitor: str
    page: str = "training"
    widgets: dict[str, Message] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    query: str = ""  # in its address
    _states: dict[str, WidgetState] = field(default_factory=dict)

    async def __aenter__(self) -> "Window":
        address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
        headers = {"Cookie": f"{COOKIE}={self.visitor}"}
        self._socket: ClientConnection = await connect(
            address, subprotocols=["streamlit"], additional_headers=headers, max_size=None, compression=None
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def open(self) -> float:
        """Open the page; returns the seconds until it was all there."""
        return await self.rerun()

    async def change(self, name: str, value: float) -> float:
        """Give a number to a widget; returns the seconds until the page had run."""
        widget: Any = self.widgets[name]
        self._states[widget.id] = WidgetState(id=widget.id, double_value=value)
        return await self.rerun(getattr(widget, "fragment", ""))

    async def press(self, name: str) -> float:
        """Press a button."""
        widget: Any = self.widgets[name]
        return await self.rerun(extra=WidgetState(id=widget.id, trigger_value=True))

    async def rerun(self, fragment: str = "", extra: WidgetState | None = None) -> float:
        message = BackMsg()
        message.rerun_script.query_string = self.query
        message.rerun_script.page_name = self.page
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend([*self._states.values(), *([extra] if extra else [])])
        started = time.monotonic()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE_S):
            while not await self._finished():
                pass
        return time.monotonic() - started

    async def _finished(self) -> bool:
        """Take one message in; whether the page has run to its end."""
        data = await self._socket.recv()
        message = ForwardMsg.FromString(data if isinstance(data, bytes) else data.encode())
        kind = message.WhichOneof("type")
        if kind == "page_not_found":
            self.errors.append(f"there is no page {self.page}")
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._take(message.delta.new_element)
        elif kind == "script_finished" and message.script_finished == _BROKEN:
            self.errors.append("the page cannot be compiled")
        return kind == "script_finished" and message.script_finished in _DONE

    def _take(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        widget = getattr(element, kind) if kind else None
        if widget is not None and getattr(widget, "id", "") and getattr(widget, "label", ""):
            self.widgets[widget.label] = widget
