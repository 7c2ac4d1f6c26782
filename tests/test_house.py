"""The rules of the house: which room may import which, and the settings that the server stands on."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "vae_core").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
SOURCES = [ROOT / "app.py", *CORE, *PAGES]
PAGE_FOLDERS = {p.name for p in (ROOT / "pages").iterdir() if p.is_dir() and p.name not in ("ui", "__pycache__")}


def name_of(path: Path) -> str:
    """The path as a module name: vae_core/models/__init__.py is vae_core.models."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path) for path in SOURCES}


def imports(path: Path, top_level: bool = False) -> set[str]:
    """The modules that a file names in its imports; `top_level` leaves out those inside functions and ifs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes: Iterator[ast.AST] = iter(tree.body) if top_level else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            base = node.module or ""
            found |= {f"{base}.{a.name}" if f"{base}.{a.name}" in MODULES else base for a in node.names}
    return found


def below(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def offenders(paths: list[Path], *packages: str) -> list[str]:
    return [f"{name_of(p)} imports {m}" for p in paths for m in imports(p) if any(below(m, q) for q in packages)]


def test_the_walk_sees_what_there_is() -> None:
    """So that the tests below cannot pass on an empty list."""
    assert {"vae_core.train", "vae_core.models.vae", "pages.router", "pages.ui.live.socket", "app"} <= MODULES
    assert {"home", "training"} <= PAGE_FOLDERS
    assert "vae_core.models" in imports(ROOT / "vae_core" / "train.py")
    assert "vae_core.runs" in imports(ROOT / "app.py")


def test_the_core_imports_neither_streamlit_nor_plotly_nor_pages() -> None:
    assert offenders(CORE, "streamlit", "plotly", "pages", "app") == []


def test_no_page_imports_another_page() -> None:
    for folder in PAGE_FOLDERS:
        others = [f"pages.{other}" for other in PAGE_FOLDERS - {folder}]
        assert offenders(sorted((ROOT / "pages" / folder).rglob("*.py")), *others) == []


def test_what_pages_share_imports_no_page() -> None:
    shared = sorted((ROOT / "pages" / "ui").rglob("*.py"))
    assert offenders(shared, *(f"pages.{folder}" for folder in PAGE_FOLDERS), "pages.router", "app") == []


def test_only_pages_and_app_know_the_registry_of_runs() -> None:
    assert offenders([p for p in CORE if p.name != "runs.py"], "vae_core.runs") == []


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("losses", ["models", "train", "evaluate", "engine", "cli"]),
        ("models", ["train", "evaluate", "data", "engine", "cli"]),
        ("data", ["models", "train", "losses", "engine", "cli"]),
        ("evaluate", ["models", "train", "engine", "cli"]),
        ("train", ["engine", "runs", "link"]),
        ("engine", ["runs", "link", "cli"]),
        ("checkpoints", ["train", "engine", "cli"]),
    ],
)
def test_arrows_inside_the_core(module: str, forbidden: list[str]) -> None:
    files = [p for p in CORE if below(name_of(p), f"vae_core.{module}")]
    assert files and offenders(files, *(f"vae_core.{name}" for name in forbidden)) == []


def test_no_two_modules_import_each_other() -> None:
    graph = {name_of(path): imports(path, top_level=True) & MODULES for path in SOURCES}
    assert len(list(TopologicalSorter(graph).static_order())) == len(MODULES)  # raises on a cycle


def test_torchvision_is_imported_in_one_place_only() -> None:
    assert {line.split()[0] for line in offenders(SOURCES, "torchvision")} == {"vae_core.vision"}


def test_the_core_runs_without_streamlit_and_plotly() -> None:
    code = (
        "import sys, vae_core.train, vae_core.cli, vae_core.link, vae_core.runs\n"
        "print(sorted({'streamlit', 'plotly', 'pages'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "[]", result.stderr


def test_nothing_is_unpickled_and_no_text_becomes_code() -> None:
    assert offenders(SOURCES, "pickle", "cPickle", "dill", "joblib", "marshal", "shelve") == []
    calls = [
        f"{name_of(path)}:{node.lineno} {ast.unparse(node.func)}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    unsafe = ("eval", "exec", "compile", "__import__", "torch.load", "pickle.load", "pickle.loads", "os.system")
    assert [call for call in calls if call.split(" ", 1)[1] in unsafe] == []


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
    assert config["server"]["address"] == "127.0.0.1"  # open to the class only when somebody says so


def test_the_browser_code_asks_no_other_host() -> None:
    """Vendored and served from here: a class may have no internet. XML namespaces are names, not addresses."""
    named = []
    for path in [
        p for kind in ("*.js", "*.css") for p in (ROOT / "pages" / "ui").rglob(kind) if "vendor" not in p.parts
    ]:
        for line in path.read_text(encoding="utf-8").splitlines():
            comment, namespace = line.lstrip().startswith(("//", "*", "/*")), "www.w3.org" in line
            if ("http://" in line or "https://" in line) and not comment and not namespace:
                named.append(f"{path.name}: {line.strip()}")
    assert named == []
