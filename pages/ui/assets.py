"""Browser code of the components, served by this server: no other host is ever asked."""

import mimetypes
import os
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

UI = Path(__file__).resolve().parent
SUFFIXES = {".js": "text/javascript", ".css": "text/css"}
LINTERS = "node_modules"  # is there where `make lint` has run


class BrowserFiles(StaticFiles):
    """Only scripts and styles, and none of the linters': Python sources and those lie in the same folders."""

    def lookup_path(self, path: str) -> tuple[str, os.stat_result | None]:
        if Path(path).suffix not in SUFFIXES or LINTERS in Path(path).parts:
            return "", None
        return super().lookup_path(path)


def asset_route() -> Mount:
    """`/assets/live/live.js` is `pages/ui/live/live.js`, gzip-compressed: texts shrink to a third."""
    for suffix, kind in SUFFIXES.items():  # a browser runs no module of another kind, and Windows may say text/plain
        mimetypes.add_type(kind, suffix)
    return Mount("/assets", GZipMiddleware(BrowserFiles(directory=UI)))


def browser_files() -> list[Path]:
    """The scripts and styles that are served. Asked again and again: it never walks the linters' thousands of files."""
    rooms = [p for p in UI.iterdir() if p.name != LINTERS]
    return [p for room in rooms for p in (room, *room.rglob("*")) if p.suffix in SUFFIXES]


def asset_version() -> str:
    """Changes when any of the files does, so that browsers never mix old and new ones."""
    newest = max(p.stat().st_mtime_ns for p in browser_files())
    return format(newest, "x")


def loader(module: str, root: str) -> str:
    """The inline script of a component: imports `/assets/<module>` and hands every call on to it.

    The module's default export is a class: its constructor takes the element of the class `root`, and its objects have
    that as `root`, `update(component)` and `destroy()`.
    The inline part stays this small because Streamlit sends it again with every change of data.
    """
    return _LOADER.replace("MODULE", f"{module}?v={asset_version()}").replace("ROOT", root)


_LOADER = """
// Called on mount and again on every change of data or theme. A call that is outdated when it comes through (Streamlit
// loads this script asynchronously, so calls may even change places) is followed at once by its own clean-up: it waits
// a moment before it counts. Of the others the latest counts, for what is shown and for its end.
export default function (component) {
  const host = component.parentElement;
  const call = (host.elboCalls = (host.elboCalls ?? 0) + 1);
  let ended = false;
  const moment = new Promise((resolve) => setTimeout(resolve, 0));
  const fetched = import(new URL("./assets/MODULE", document.baseURI).href).catch((error) => {
    if (!ended) host.querySelector(".ROOT").textContent = "The script of this panel did not come: reload the page.";
    throw error;
  });
  Promise.all([fetched, moment]).then(([module]) => {
    if (ended || call < (host.elboShown ?? 0)) return;
    host.elboShown = call;
    if (!host.elboView?.root.isConnected) {
      host.elboView?.destroy();
      host.elboView = new module.default(host.querySelector(".ROOT"));
    }
    host.elboView.update(component);
  });
  return () => {
    ended = true;
    if (host.elboShown !== call) return;
    host.elboView?.destroy();
    host.elboView = null;
  };
}
"""
