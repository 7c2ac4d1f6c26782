"""The page before Streamlit's: a title, a sentence and how far the program has come, in the first bytes of the answer.

Streamlit's own page is white until two megabytes of scripts are here. Ours is that very page with more in it.
"""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from streamlit import config, file_util

from pages.ui.assets import asset_version
from pages.ui.page_names import PAGES, PageName
from pages.ui.web.compressed import packed_text, size_on_line, zipped_text
from vae_core.export.colours import DARK, LIGHT

HERE = Path(__file__).resolve().parent
OLD: Final = "This browser is too old for this page, which takes Chrome or Edge 123, Firefox 121, Safari 17.5 or newer."
NO_SCRIPTS: Final = "Everything here is drawn by scripts of this server: allow JavaScript for this address."
_HEADERS = {"Cache-Control": "no-cache"}
_FILES = re.compile(r'(?:src|href)="\./static/(js/[^"]+)"')
_STYLES = re.compile(r'<link rel="stylesheet"[^>]*href="\./(static/css/[^"]+)">')
_FONT = re.compile(r'<link\s+rel="preload"[^>]*as="font"[^>]*/>')
_FIRST: Final = '<script type="module" crossorigin'
_SILENT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)


def opening_routes() -> list[Route]:
    """The address of every page; what is no page stays Streamlit's."""
    return [Route(f"/{name}", _answer) for name in ("", *PAGES)]


async def _answer(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    if name == "home":  # which Streamlit serves at the root alone, and calls a page that is not there
        return RedirectResponse(f"./?{request.url.query}".removesuffix("?"), status_code=308)
    return zipped_text(request, page_bytes(name if name in PAGES else "home"), "text/html; charset=utf-8", _HEADERS)


def script() -> str:
    """The one that stands in the page: the headers let it run by its hash."""
    return (HERE / "opening.js").read_text(encoding="utf-8")


@cache
def page_bytes(name: str) -> bytes:
    """The page of that name, gzip-compressed."""
    static = Path(file_util.get_static_dir())
    page = (static / "index.html").read_text(encoding="utf-8")
    files = {Path(file).name: size_on_line(file) for file in sorted(set(_FILES.findall(page)))}
    page = page.replace("<title>Streamlit</title>", f"<title>ELBO Room</title>\n<style>{_looks()}</style>", 1)
    page = _FONT.sub("", page)  # it comes when the first word is drawn, and need not come before the scripts
    page = _STYLES.sub(lambda found: f"<style>{_own_styles(static / found[1])}</style>", page)
    page = _SILENT.sub("", page)
    page = page.replace(_FIRST, f"{_before()}{_FIRST}")
    return packed_text(page.replace("<body>", f"<body>\n{_opening(PAGES[name], files)}<script>{script()}</script>", 1))


def _before() -> str:
    """What watches over the whole page, before Streamlit's scripts: these run in the order of the page."""
    return f'<script type="module" src="./assets/web/lost.js?v={asset_version()}"></script>\n'


def _opening(page: PageName, files: dict[str, int]) -> str:
    return f"""<div id="elbo-opening" role="status" aria-live="off" data-files="{html.escape(json.dumps(files))}">
<h1>{html.escape(page.title)}</h1>
<p>{html.escape(page.sentence)}</p>
<p data-part="silent">{NO_SCRIPTS}</p>
<progress data-part="bar" max="1" value="0" aria-label="the page's program" hidden></progress>
<p data-part="step" hidden>The program …</p>
<p data-part="old" hidden>{OLD}</p>
<button data-part="anyway" hidden>Open it all the same</button>
</div>
"""


def _own_styles(file: Path) -> str:
    """Streamlit's styles, in the page itself: a sheet that is fetched holds the first paint back.

    Words are there before their font is.
    """
    sheet = file.read_text(encoding="utf-8").replace("url(../media/", "url(./static/media/")
    return sheet.replace("@font-face{font-family:Source", "@font-face{font-display:fallback;font-family:Source")


def _looks() -> str:
    """The styles of the opening, in the theme's colours."""
    colours = {
        "DARK_INK": DARK.ink,
        "DARK_GROUND": DARK.ground,
        "DARK_BAR": config.get_option("theme.dark.primaryColor"),
        "INK": LIGHT.ink,
        "GROUND": LIGHT.ground,
        "BAR": config.get_option("theme.light.primaryColor"),
    }
    sheet = (HERE / "opening.css").read_text(encoding="utf-8")
    for name, colour in colours.items():
        sheet = sheet.replace(f": {name};", f": {colour};")
    return sheet
