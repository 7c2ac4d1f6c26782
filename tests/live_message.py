"""What a viewer of the live route receives, read by hand."""

import json
import struct
from typing import Any
from urllib.parse import quote

import numpy as np
from starlette.testclient import WebSocketTestSession

from vae_core.runs.news import Cursor, News
from vae_core.runs.registry import Registry

Message = tuple[dict[str, Any], dict[str, np.ndarray]]


def unpack(message: bytes) -> Message:
    """By hand: u64 length, JSON header, data. Strict about JSON, as a browser is."""

    def never(constant: str) -> Any:
        raise AssertionError(f"{constant} is no JSON")

    (length,) = struct.unpack("<Q", message[:8])
    header = json.loads(message[8 : 8 + length], parse_constant=never)
    news = json.loads(header.pop("__metadata__")["news"], parse_constant=never)
    types = {"F32": "<f4", "I16": "<i2", "U8": "u1"}
    arrays = {}
    for name, entry in header.items():
        start, end = (8 + length + offset for offset in entry["data_offsets"])
        arrays[name] = np.frombuffer(message[start:end], types[entry["dtype"]]).reshape(entry["shape"])
    return news, arrays


def next_message(viewer: WebSocketTestSession) -> Message:
    return unpack(viewer.receive_bytes())


def steps(message: Message) -> list[int]:
    return [int(step) for step in message[1]["train"][:, 0]]


def url(run: str, since: Any = None) -> str:
    return f"/live/{run}" if since is None else f"/live/{run}?since={quote(json.dumps(since))}"


def all_news(registry: Registry, run: str) -> News:
    news = registry.read(run, Cursor())
    assert news is not None
    return news
