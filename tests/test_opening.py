"""The page before Streamlit's, and Streamlit's scripts as they are sent."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Mount
from starlette.testclient import TestClient
from streamlit import config, file_util

from pages.ui.page_names import PAGES
from pages.ui.web import compressed, opening
from pages.ui.web.compressed import CompressedStatic
from pages.ui.web.headers import SafeHeaders
from pages.ui.web.opening import opening_routes
from pages.ui.web.prefix import BelowPrefix

STATIC = Path(file_util.get_static_dir())
SCRIPT = next((STATIC / "static" / "js").glob("index.*.js"))
URL = f"/static/js/{SCRIPT.name}"


@pytest.fixture
def client() -> TestClient:
    routes = [BelowPrefix(opening_routes()), Mount("/", PlainTextResponse("streamlit"))]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(SafeHeaders), Middleware(CompressedStatic)]))


def test_the_names_are_those_of_the_pages() -> None:
    pages = Path(__file__).parents[1] / "pages"
    assert set(PAGES) == {page.parent.name for page in pages.glob("*/page.py")}
    icons = re.findall(r'^    "(\w+)": "\w+",$', (pages / "router.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert list(PAGES) == icons, "the order of the menu"


@pytest.mark.parametrize("name", list(PAGES))
def test_every_page_says_in_its_first_bytes_what_it_is(name: str, client: TestClient) -> None:
    answer = client.get("/" if name == "home" else f"/{name}")
    title, sentence = (html.escape(text) for text in PAGES[name])
    body = answer.text.partition("<body>")[2]
    assert f"<h1>{title}</h1>\n<p>{sentence}</p>" in body.partition("<script")[0] and opening.OLD in body
    assert '<div id="root"></div>' in answer.text and f"./static/js/{SCRIPT.name}" in answer.text
    assert int(answer.headers["content-length"]) < 20_000 and answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/html") and answer.headers["cache-control"] == "no-cache"


def test_home_has_one_address(client: TestClient) -> None:
    """Streamlit serves it at the root alone; there it says of /home that there is no such page."""
    answer = client.get("/home?shown=1", follow_redirects=False)
    assert answer.status_code == 308 and answer.headers["location"] == "./?shown=1"
    assert client.get("/home").url.path == "/"


def test_nothing_is_fetched_before_the_first_paint(client: TestClient) -> None:
    """A sheet of styles holds it back; scripts that are modules do not."""
    page = client.get("/").text
    assert not re.findall(r"<link[^>]*(?:stylesheet|as=\"font\")", page)
    assert set(re.findall(r"<script([^>]*)>", page)) >= {""} and "<script src" not in page
    fonts = re.findall(r"url\((?!data:)([^)]*)\)", page)
    assert fonts and all((STATIC / font.removeprefix("./")).is_file() for font in fonts)


def test_what_is_counted_is_what_the_page_fetches_as_it_is_sent(client: TestClient) -> None:
    page = client.get("/explorer").text
    found = re.search(r'data-files="([^"]*)"', page)
    assert found
    sizes = json.loads(html.unescape(found[1]))
    assert set(sizes) == {Path(file).name for file in re.findall(r'"\./(static/js/[^"]+)"', page)}
    assert sizes[SCRIPT.name] == int(client.get(URL).headers["content-length"])
    assert 300_000 < sum(sizes.values()) < 900_000


def test_who_takes_no_gzip_gets_the_same_page(client: TestClient) -> None:
    plain = client.get("/elbo", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.text == client.get("/elbo").text


def test_a_page_of_no_name_is_streamlits(client: TestClient) -> None:
    assert client.get("/nothing").text == "streamlit"


def test_scripts_are_sent_compressed_and_kept_for_good(client: TestClient) -> None:
    answer = client.get(URL)
    assert answer.content == SCRIPT.read_bytes() and answer.headers["content-type"].startswith("text/javascript")
    assert int(answer.headers["content-length"]) < SCRIPT.stat().st_size / 2.5
    assert answer.headers["content-encoding"] == "gzip" and "immutable" in answer.headers["cache-control"]
    assert gzip.decompress(compressed.packed_file(f"js/{SCRIPT.name}")) == answer.content
    again = client.get(URL, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert client.get(URL, headers={"if-none-match": '"another"'}).status_code == 200
    assert client.head(URL).headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/js/nothing.js",
        "/static/../index.html",
        "/static/%2e%2e/index.html",
        "/static//etc/passwd",
        "/elsewhere",
    ],
)
def test_all_else_is_streamlits_affair(path: str, client: TestClient) -> None:
    assert client.get(path).text == "streamlit"


def test_so_is_who_takes_no_gzip_or_sends(client: TestClient) -> None:
    assert client.get(URL, headers={"accept-encoding": "br"}).text == "streamlit"
    assert client.post(URL).text == "streamlit"


def test_below_a_prefix_scripts_are_compressed_there_alone(client: TestClient) -> None:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "lab/room")
    try:
        assert client.get(f"/lab/room{URL}").headers.get("content-encoding") == "gzip"
        assert client.get(URL).text == "streamlit"
        assert "Live training" in client.get("/lab/room/training").text
    finally:
        config.set_option("server.baseUrlPath", before)
