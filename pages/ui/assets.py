"""Browser code of the components, served by this server: no other host is ever asked."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

UI = Path(__file__).resolve().parent
SUFFIXES = {".js", ".css"}


class BrowserFiles(StaticFiles):
    """Only scripts and styles: Python sources lie in the same folders."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if Path(path).suffix not in SUFFIXES:
            return "", None
        return super().lookup_path(path)


def asset_route() -> Mount:
    """`/assets/live/live.js` is `pages/ui/live/live.js`."""
    return Mount("/assets", BrowserFiles(directory=UI))


def asset_version() -> str:
    """Changes when any of the files does, so that browsers never mix old and new ones."""
    newest = max(p.stat().st_mtime_ns for p in UI.rglob("*") if p.suffix in SUFFIXES)
    return format(newest, "x")


def loader(module: str) -> str:
    """The inline script of a component: imports `/assets/<module>` and hands every call on to it.

    The module exports `mount(parentElement)`, which returns an object with `update(component)` and `destroy()`.
    The inline part stays this small because Streamlit sends it again with every change of data.
    """
    return _LOADER.replace("MODULE", f"{module}?v={asset_version()}")


_LOADER = """
// Called on mount and again on every change of data or theme.
export default function (component) {
  const host = component.parentElement;
  host.elboRoom ??= import(new URL("./assets/MODULE", document.baseURI).href).then((m) => m.mount(host));
  host.elboRoom.then((view) => view.update(component));
  return () => {
    host.elboRoom?.then((view) => view.destroy());
    delete host.elboRoom;
  };
}
"""
