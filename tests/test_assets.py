"""Browser code is served; Python sources and anything outside the folder are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from pages.ui import assets

UI = Path(__file__).resolve().parents[1] / "pages" / "ui"
BROWSER_FILES = sorted(p.relative_to(UI).as_posix() for s in ("*.js", "*.css") for p in UI.rglob(s))
PYTHON_FILES = sorted(p.relative_to(UI).as_posix() for p in UI.rglob("*.py"))


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
    assert f"one.js?v={assets.asset_version()}" in assets.loader("one.js")
