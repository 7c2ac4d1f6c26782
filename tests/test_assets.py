"""Browser code is served; Python sources and anything outside the folder are not."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from pages.ui import assets

UI = Path(__file__).resolve().parents[1] / "pages" / "ui"
OURS = sorted(p for p in UI.rglob("*") if "node_modules" not in p.parts)
BROWSER_FILES = [p.relative_to(UI).as_posix() for p in OURS if p.suffix in (".js", ".css")]
PYTHON_FILES = [p.relative_to(UI).as_posix() for p in OURS if p.suffix == ".py"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=[assets.asset_route()])) as made:
        yield made


@pytest.mark.parametrize("path", BROWSER_FILES)
def test_scripts_and_styles_are_served_with_their_type(path: str, client: TestClient) -> None:
    response = client.get(f"/assets/{path}")
    assert response.status_code == 200 and response.content == (UI / path).read_bytes()
    kind = "text/css" if path.endswith(".css") else "text/javascript"  # modules need the right type
    assert response.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("path", PYTHON_FILES)
def test_python_sources_are_not_served(path: str, client: TestClient) -> None:
    assert client.get(f"/assets/{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "",
        "live",
        "live/",
        "../router.py",
        "..%2f..%2fapp.py",
        "%2e%2e/%2e%2e/app.py",
        "..%2f..%2ftests%2fpages%2fnothing.js",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "live/live.js/../socket.py",
        "live/live.js%2f..%2fsocket.py",
        "live/socket.py%00.js",
        "live/%00.js",
        "live/nothing.js",
        "live/WIRE.PY",
        "vendor/uplot/LICENSE",
        "eslint.config.mjs",
        "package.json",
        "a" * 5000 + ".js",
    ],
)
def test_nothing_else_is_served(path: str, client: TestClient) -> None:
    assert client.get(f"/assets/{path}").status_code == 404


def test_a_script_outside_the_folder_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "ui").mkdir()
    (tmp_path / "ui" / "link.js").symlink_to(tmp_path / "secret.js")
    route = Mount("/assets", assets.BrowserFiles(directory=tmp_path / "ui"))
    served = TestClient(Starlette(routes=[route]))
    for path in ("../secret.js", "..%2fsecret.js", "%2e%2e%2fsecret.js", "link.js"):
        assert served.get(f"/assets/{path}").status_code == 404


def test_the_linters_are_neither_served_nor_part_of_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "UI", tmp_path)
    (tmp_path / "one.js").write_text("1")
    before = assets.asset_version()
    tool = tmp_path / "node_modules" / "tool" / "index.js"
    tool.parent.mkdir(parents=True)
    tool.write_text("2")
    os.utime(tool, (2**32, 2**32))
    assert assets.asset_version() == before
    served = TestClient(Starlette(routes=[Mount("/assets", assets.BrowserFiles(directory=tmp_path))]))
    assert served.get("/assets/one.js").status_code == 200
    for path in ("node_modules/tool/index.js", "./node_modules/tool/index.js", "x/../node_modules/tool/index.js"):
        assert served.get(f"/assets/{path}").status_code == 404
        assert served.get(f"/assets/{path.replace('/', '%2f')}").status_code == 404


def test_nothing_can_be_written(client: TestClient) -> None:
    assert client.post("/assets/lib/wire.js").status_code == 405
    assert client.put("/assets/live/new.js").status_code == 405


def test_the_version_changes_with_any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "UI", tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "one.js").write_text("1")
    (tmp_path / "sub" / "two.css").write_text("2")
    before = assets.asset_version()
    assert assets.asset_version() == before
    (tmp_path / "sub" / "two.css").touch()
    assert assets.asset_version() != before
    assert f"one.js?v={assets.asset_version()}" in assets.loader("one.js", "one")
