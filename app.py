"""The server: `streamlit run app.py`. One ASGI app with the pages, the live data and the browser code."""

import contextlib
import gc
import os
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import streamlit as st
import torch
from starlette.middleware import Middleware

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:  # whoever starts the server, from wherever
    sys.path.insert(0, str(ROOT))

from pages.elbo.warm import warm_up  # noqa: E402
from pages.ui import shipped  # noqa: E402
from pages.ui.arms.routes import arms_routes  # noqa: E402
from pages.ui.assets import asset_route  # noqa: E402
from pages.ui.explore.routes import explore_routes  # noqa: E402
from pages.ui.follow.socket import follow_route  # noqa: E402
from pages.ui.lecturer import LecturerKey, key_link  # noqa: E402
from pages.ui.live.socket import live_routes  # noqa: E402
from pages.ui.visitor import CountWindows, VisitorCookie  # noqa: E402
from pages.ui.web.compressed import CompressedStatic  # noqa: E402
from pages.ui.web.headers import SafeHeaders, failed  # noqa: E402
from pages.ui.web.left_pages import LeftPages  # noqa: E402
from pages.ui.web.limits import Unhurried  # noqa: E402
from pages.ui.web.opening import opening_routes, page_bytes  # noqa: E402
from pages.ui.web.origins import OwnOrigins  # noqa: E402
from pages.ui.web.prefix import BelowPrefix  # noqa: E402
from pages.ui.web.settings import WebSettings  # noqa: E402
from vae_core.checkpoints import CheckpointError  # noqa: E402
from vae_core.runs import registry  # noqa: E402

WEB = WebSettings.of(os.environ)
ROUTES = [*live_routes(), follow_route(), *arms_routes(), *explore_routes(), asset_route(), *opening_routes()]


def compute_ahead() -> None:
    """What the first visitors would wait for."""
    page_bytes("home")  # with it Streamlit's scripts are compressed
    shipped.real_images("grey")
    warm_up()


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[dict[str, Any]]:
    """Warm up before the first visitor: the engine starts, and the collector forgets what never goes away."""
    WEB.hand_to_streamlit()
    torch.set_num_threads(1)  # beside an engine that trains, two that wait for each other take eight times as long
    runs = registry.shared()
    runs.warm_up()
    with contextlib.suppress(CheckpointError):  # said on stderr by now; the pages say it in a sentence
        shipped.checkpoint(shipped.PLANE)
    shipped.images()
    shipped.register_all()
    threading.Thread(target=compute_ahead, name="warm-up", daemon=True).start()
    gc.collect()
    gc.freeze()
    print(f"Lecturer: {key_link(runs.lecturers.key)}", flush=True)  # not in the log, which a page shows
    yield {}
    runs.close()


app = st.App(
    ROOT / "pages" / "router.py",
    lifespan=lifespan,
    routes=[BelowPrefix(ROUTES)],
    middleware=[  # the first is the outermost
        Middleware(SafeHeaders, frames=WEB.frames),
        Middleware(OwnOrigins),
        Middleware(Unhurried),
        Middleware(VisitorCookie, framed=bool(WEB.frames)),
        Middleware(LecturerKey),
        Middleware(CountWindows),
        Middleware(LeftPages),
        Middleware(CompressedStatic),
    ],
    exception_handlers={Exception: failed},
)
