"""The rules of the house: which room may import which, and the settings that the server stands on."""

import ast
import json
import posixpath
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from pages.ui.assets import browser_files
from pages.ui.explore.opened import MOST_MB
from vae_core.data.picture import MAX_BYTES

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "vae_core").rglob("*.py"))
UI = ROOT / "pages" / "ui"
PAGES = sorted(p for p in (ROOT / "pages").rglob("*.py") if "node_modules" not in p.parts)  # those are the linters'
SOURCES = [ROOT / "app.py", *CORE, *PAGES]
BROWSER = {
    path.relative_to(UI.parent).as_posix(): path
    for path in sorted(UI.rglob("*.js"))
    if "node_modules" not in path.parts
}
OWN = {name: path for name, path in BROWSER.items() if not name.startswith("ui/vendor/")}
PAGE_FOLDERS = {p.name for p in (ROOT / "pages").iterdir() if p.is_dir() and p.name not in ("ui", "__pycache__")}


def name_of(path: Path) -> str:
    """The path as a module name: vae_core/models/__init__.py is vae_core.models."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path) for path in SOURCES}


def imports(path: Path) -> set[str]:
    """The modules that a file names in its imports, wherever they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            base = node.module or ""
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names}
    return found


# "./x.js" after `from` or `import`, also of an import that is called where it stands, or of a worker.
SPECIFIER = re.compile(r"""(?:\bfrom\b|\bimport\b|\bnew\s+URL)\s*\(?\s*["'`](\.[^"'`$?]*)""")


def browser_imports(name: str) -> set[str]:
    """The modules of pages/ui that a JavaScript module names, wherever it does: "ui/lib/dom.js"."""
    found = SPECIFIER.findall(BROWSER[name].read_text(encoding="utf-8"))
    return {posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in found if path.endswith(".js")}


def below(module: str, package: str) -> bool:
    return module == package or module.startswith((package + ".", package + "/"))


def offenders(paths: list[Path], *packages: str) -> list[str]:
    return [f"{name_of(p)} imports {m}" for p in paths for m in imports(p) if any(below(m, q) for q in packages)]


def test_the_walk_sees_what_there_is() -> None:
    """So that the tests below cannot pass on an empty list."""
    assert {"vae_core.trainer", "vae_core.models.vae", "pages.router", "pages.ui.live.socket", "app"} <= MODULES
    assert {"home", "training"} <= PAGE_FOLDERS
    assert "vae_core.models" in imports(ROOT / "vae_core" / "trainer.py")
    assert "vae_core.runs.registry" in imports(ROOT / "app.py")
    assert len(OWN) > 100 and {"ui/vendor/uplot/uPlot.esm.js", "ui/lib/map.js"} <= set(BROWSER)
    assert {"ui/vendor/uplot/uPlot.esm.js", "ui/lib/history.js"} <= browser_imports("ui/lib/curves.js")
    assert "ui/net/worker.js" in browser_imports("ui/net/background.js")  # a worker, by its address
    assert SPECIFIER.findall('x = await import("./y.js");') == SPECIFIER.findall("export * from './y.js'") == ["./y.js"]


def test_the_core_imports_neither_streamlit_nor_plotly_nor_pages() -> None:
    assert offenders(CORE, "streamlit", "plotly", "pages", "app") == []


def test_no_page_imports_another_page() -> None:
    for folder in PAGE_FOLDERS:
        others = [f"pages.{other}" for other in PAGE_FOLDERS - {folder}]
        assert offenders(sorted((ROOT / "pages" / folder).rglob("*.py")), *others) == []


def test_what_pages_share_imports_no_page() -> None:
    shared = [p for p in PAGES if p.is_relative_to(UI)]
    assert offenders(shared, *(f"pages.{folder}" for folder in PAGE_FOLDERS), "pages.router", "app") == []


WAYS = [f"ui/explore/{way}" for way in ("pad", "encode", "interpolate", "arithmetic", "traverse", "prior", "codes")]
COMPONENTS = ["ui/live", "ui/arms", "ui/lesson", "ui/explore", "ui/follow", "ui/plane", "ui/question", "ui/copy_link"]
# Of these none imports another one, nor what lies in it.
SIDE_BY_SIDE = [COMPONENTS, WAYS, ["ui/lesson/bound", "ui/lesson/gaussians"]]

# From the ground up: an arrow may only go down or stay on its floor, also inside functions and under `if`.
LAYERS = [
    [
        "vae_core.rng",
        "vae_core.families",
        "vae_core.datasets",
        "vae_core.config",
        "vae_core.published",
        "vae_core.devices",
        "vae_core.losses",
        "vae_core.any_path",
        "vae_core.claims",
        "vae_core.digits",
        "vae_core.thinning",
        "vae_core.codebook",
        "vae_core.console",
        "vae_core.vision",
        "vae_core.row_buffer",
        "vae_core.pieces",
    ],
    ["vae_core.data", "vae_core.models", "vae_core.divergence"],
    ["vae_core.evaluate", "vae_core.latent", "vae_core.trainer", "vae_core.checkpoints"],
    ["vae_core"],  # what a notebook imports
    ["vae_core.exact", "vae_core.metrics", "vae_core.inspect", "vae_core.bugs", "vae_core.cards", "vae_core.foreign"],
    ["vae_core.export"],
    ["vae_core.runs"],
    ["vae_core.train", "vae_core.reproduce", "vae_core.reproduced", "vae_core.code_prior"],
    ["vae_core.sizes", "vae_core.sweep"],
    # JavaScript, module by module as it lies in pages/
    ["ui/vendor", "ui/web"],
    ["ui/lib"],
    ["ui/net"],
    ["ui/lesson/plot.js", "ui/explore/shared"],
    [*WAYS, "ui/lesson/bound", "ui/lesson/gaussians"],
    COMPONENTS,
    ["ui/passage"],  # made of the explorer's parts
    ["pages.ui"],
    [f"pages.{folder}" for folder in sorted(PAGE_FOLDERS)],
    ["pages.router"],
    ["app"],
]
FLOORS = {room: floor for floor, rooms in enumerate(LAYERS) for room in rooms}


def floor_of(module: str) -> int:
    """The floor of the longest room name that the module lies in; the packages themselves hold nothing."""
    if module in ("vae_core", "pages"):
        return FLOORS.get(module, 0)
    rooms = [room for room in FLOORS if room != "vae_core" and below(module, room)]
    assert rooms, f"{module} is in no room: give it one in LAYERS"
    return FLOORS[max(rooms, key=len)]


def arrows_of_javascript() -> list[tuple[str, str]]:
    return [(name, other) for name in OWN for other in sorted(browser_imports(name))]


def test_every_arrow_goes_down() -> None:
    arrows = [(name_of(path), module) for path in SOURCES for module in imports(path) & MODULES]
    assert len(arrows) > 300 and len(arrows_of_javascript()) > 300
    arrows += arrows_of_javascript()
    assert [f"{a} imports {b}" for a, b in sorted(arrows) if floor_of(a) < floor_of(b)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Wherever the import stands. A package's own parts may import its name (vae_core.exact for one of its modules)."""
    graph = {name_of(path): imports(path) & MODULES - {name_of(path)} for path in SOURCES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)  # raises on a circle
    browser = {name: browser_imports(name) for name in BROWSER}
    assert len(list(TopologicalSorter(browser).static_order())) == len(BROWSER)  # and so that every name is a file


def test_what_stands_side_by_side_does_not_import_each_other() -> None:
    for rooms in SIDE_BY_SIDE:
        for room in rooms:
            assert any(below(name, room) for name in OWN), f"{room} is empty"
            others = [other for other in rooms if other != room]
            arrows = [(a, b) for a, b in arrows_of_javascript() if below(a, room)]
            assert [f"{a} imports {b}" for a, b in arrows if any(below(b, other) for other in others)] == []


MOST_LINES = 300
SHEETS = [p for p in (ROOT / "pages").rglob("*.css") if not {"node_modules", "vendor"} & set(p.parts)]
SHORT = [*OWN.values(), *SOURCES, *SHEETS]  # everything that is ours


def test_no_file_is_long() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SHORT}
    assert {path.relative_to(ROOT).as_posix(): n for path, n in lines.items() if n > MOST_LINES} == {}


def test_no_two_javascript_modules_of_a_folder_are_told_apart_by_an_ending() -> None:
    """bound.js and bound_bars.js, gaussians_fit.js and gaussians_pair.js, arm.js and arms.js are a folder each."""
    words = [(posixpath.dirname(name), path.stem.split("_")[0].removesuffix("s")) for name, path in OWN.items()]
    assert sorted({f"{folder}/{word}" for folder, word in words if words.count((folder, word)) > 1}) == []


def test_the_core_of_the_core_is_small() -> None:
    """What a student reads, and what hangs on it."""
    core = [ROOT / "vae_core" / name for name in ("losses.py", "models/vae.py", "trainer.py")]
    assert sum(len(path.read_text(encoding="utf-8").splitlines()) for path in core) <= 550
    code = (
        "import sys, vae_core.trainer\n"
        "files = {m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'vae_core'}\n"
        "print(sum(len(open(f, encoding='utf-8').read().splitlines()) for f in files))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert int(result.stdout) <= 1450, result.stderr


def test_torchvision_is_imported_in_one_place_only() -> None:
    assert {line.split()[0] for line in offenders(SOURCES, "torchvision")} == {"vae_core.vision"}


def test_the_core_runs_without_streamlit_and_plotly() -> None:
    code = (
        "import sys, vae_core.train, vae_core.trainer, vae_core.runs.process, vae_core.runs.registry\n"
        "print(sorted({'streamlit', 'plotly', 'pages', 'ray'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "[]", result.stderr


def test_nothing_is_unpickled_and_no_text_becomes_code() -> None:
    assert offenders(SOURCES, "pickle", "cPickle", "dill", "joblib", "marshal", "shelve") == []
    nodes = [(name_of(path), node) for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    calls = [(name, node) for name, node in nodes if isinstance(node, ast.Call)]
    unsafe = ("eval", "exec", "compile", "__import__", "torch.load", "pickle.load", "pickle.loads", "os.system")
    found = [(name, ast.unparse(node)) for name, node in calls if ast.unparse(node.func) in unsafe]
    tensors_alone = 'torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)'.replace('"', "'")
    assert found == [("vae_core.foreign.read", tensors_alone)]  # somebody's own file: tensors and nothing else


def test_arrays_are_loaded_without_pickle() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                given = {k.arg: k.value for k in node.keywords}
                assert ast.unparse(given["allow_pickle"]) == "False", path


def test_no_star_import_no_bare_except_no_mutable_default() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            star = isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names)
            bare = isinstance(node, ast.ExceptHandler) and node.type is None
            mutable = isinstance(node, ast.FunctionDef) and any(
                isinstance(d, (ast.List, ast.Dict, ast.Set)) for d in (*node.args.defaults, *node.args.kw_defaults)
            )
            if star or bare or mutable:
                found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []


def test_settings_that_the_server_stands_on() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["runner"]["postScriptGC"] is False  # a full collection after every fragment run
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"].get("enableXsrfProtection", True) is True
    assert config["server"]["maxUploadSize"] == MOST_MB > MAX_BYTES / 10**6  # as the uploaders say
    assert config["server"]["maxWidgetStateSize"] == 1 and config["server"]["maxMessageSize"] <= 16  # MB
    assert config["server"]["address"] == "127.0.0.1"  # open to the class only when somebody says so


def test_the_browser_code_asks_no_other_host() -> None:
    """Vendored and served from here: a class may have no internet. XML namespaces are names, not addresses."""
    named = []
    for path in [p for p in browser_files() if "vendor" not in p.parts]:
        for line in path.read_text(encoding="utf-8").splitlines():
            comment, namespace = line.lstrip().startswith(("//", "*", "/*")), "www.w3.org" in line
            if ("http://" in line or "https://" in line) and not comment and not namespace:
                named.append(f"{path.name}: {line.strip()}")
    assert named == []


def test_the_lock_file_of_the_linters_names_no_registry() -> None:
    """Every machine asks the registry that it is set up for. A package's funding page is no address of one."""
    lock = json.loads((UI / "package-lock.json").read_text(encoding="utf-8"))
    assert len(lock["packages"]) > 50
    for package in lock["packages"].values():
        package.pop("funding", None)
    assert "://" not in json.dumps(lock)


def test_every_linter_of_the_browser_code_is_pinned() -> None:
    wanted: dict[str, Any] = json.loads((UI / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    assert {"prettier", "eslint", "typescript"} <= set(wanted)
    assert [name for name, version in wanted.items() if not version[0].isdigit()] == []
