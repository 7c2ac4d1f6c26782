"""Nothing of the product needs what only POSIX systems have, but one file, which asks for the system first.

Windows itself is not here: its names are those of a type checker's stubs, read as on Windows.
"""

import ast
import mimetypes
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.assets import asset_route
from tests.test_house import ROOT, SOURCES, imports, name_of
from vae_core.checkpoints import replacing
from vae_core.config import RunConfig
from vae_core.data.images import DataError
from vae_core.data.own_set import as_name
from vae_core.runs.run_record import RunRecord
from vae_core.runs.storage import film_folder, folder_of, frame_file, state_file, states_folder

MACHINE = "vae_core.runs.machine"
CHANNEL = "vae_core.runs.channel"  # inherits what can be inherited, where the machine says so

MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "posix", "tty", "syslog", "crypt", "nis", "spwd"}
# fmt: off
OF_OS = {
    "fork", "forkpty", "setsid", "setpgid", "getpgid", "killpg", "getuid", "geteuid", "getgid", "getegid", "setuid",
    "sysconf", "confstr", "sendfile", "uname", "pread", "pwrite", "preadv", "pwritev", "mkfifo", "mknod", "chown",
    "fchown", "lchown", "chroot", "nice", "getloadavg", "statvfs", "fstatvfs", "fchdir", "sync", "fdatasync",
    "openpty", "ttyname", "wait", "wait3", "wait4", "waitid", "WNOHANG", "register_at_fork", "sched_getaffinity",
    "sched_setaffinity", "posix_spawn", "posix_fadvise", "memfd_create", "O_NOFOLLOW", "O_CLOEXEC", "O_NONBLOCK",
    "O_DIRECTORY", "O_SYNC",
}
OF_SIGNAL = {
    "SIGKILL", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGSTOP", "SIGCONT",
    "alarm", "pause",
}
# fmt: on
OF_OTHERS = {"select.poll", "select.epoll", "select.kqueue", "time.tzset", "socket.AF_UNIX", "shutil.chown"}
ONLY_POSIX = {f"os.{name}" for name in OF_OS} | {f"signal.{name}" for name in OF_SIGNAL} | OF_OTHERS
OPTIONS = {"pass_fds", "preexec_fn", "start_new_session", "process_group", "dir_fd", "src_dir_fd", "dst_dir_fd"}


def found_in(tree: ast.Module) -> set[str]:
    """What of a file only POSIX has: modules, functions, options of calls, and paths of the system."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= MODULES & {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= MODULES & {node.module}
            found |= ONLY_POSIX & {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute):
            found |= ONLY_POSIX & {ast.unparse(node)}
        elif isinstance(node, ast.keyword):
            found |= OPTIONS & {node.arg}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} if re.match(r"/(proc|dev|sys|tmp|etc)(/|$)", node.value) else set()
            found |= OPTIONS & {node.value}  # as a key of options that are handed on
    return found


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_only_one_file_knows_what_only_posix_has() -> None:
    found = {name_of(path): found_in(tree_of(path)) for path in SOURCES}
    assert found.pop(MACHINE) >= {"fcntl", "resource", "os.sysconf", "start_new_session"}
    assert found.pop(CHANNEL) == {"pass_fds"}
    assert {name: names for name, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f():\n    import pwd", {"pwd"}),
        ("from os import fork", {"os.fork"}),
        ("from resource import getrusage", {"resource"}),
        ("os.kill(pid, signal.SIGKILL)", {"signal.SIGKILL"}),
        ("Popen(a, pass_fds=[1])", {"pass_fds"}),
        ("Popen(a, **{'preexec_fn': f})", {"preexec_fn"}),
        ("open(f'/proc/{pid}/statm')", {"/proc/"}),
        ("Path('/dev/null')", {"/dev/null"}),
        ("os.kill(pid, signal.SIGINT); os.replace(a, b); '/process'", set()),
    ],
)
def test_what_only_posix_has_is_seen(code: str, names: set[str]) -> None:
    assert found_in(ast.parse(code)) == names


def test_every_name_of_the_standard_library_is_there_on_windows() -> None:
    """By the stubs of the standard library, which know of each name on which systems it is."""
    near = [path for path in SOURCES if imports(path) & {"os", "signal", "socket", "subprocess", "time", "tempfile"}]
    assert {MACHINE, CHANNEL} <= {name_of(path) for path in near}
    command = [sys.executable, "-m", "mypy", "--platform", "win32", "--follow-imports", "skip", "--cache-dir"]
    nowhere = "nul" if sys.platform == "win32" else "/dev/null"
    said = subprocess.run([*command, nowhere, *near], cwd=ROOT, capture_output=True, text=True, timeout=250).stdout
    assert re.search(rf"Success|checked {len(near)} source files", said), said
    missing = [line for line in said.splitlines() if "has no attribute" in line or "[name-defined]" in line]
    assert missing == []


def test_texts_say_their_encoding() -> None:
    """Windows would take that of its country."""
    mute = []
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            if not isinstance(node, ast.Call):
                continue
            name, words = ast.unparse(node.func).rpartition(".")[2], {k.arg for k in node.keywords}
            plain = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name == "read_text" and not (plain or "encoding" in words):
                mute.append(f"{name_of(path)}:{node.lineno}")
            if name == "write_text" and len(node.args) < 2 and "encoding" not in words:
                mute.append(f"{name_of(path)}:{node.lineno}")
            mode = next((m for m in plain if re.fullmatch(r"[rwax]\+?t?\+?|", m)), None)
            if name in ("open", "fdopen") and mode is not None and "encoding" not in words:
                mute.append(f"{name_of(path)}:{node.lineno}")
    assert mute == []


FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f]|[ .]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.IGNORECASE)


def test_names_in_the_repository_are_names_on_windows() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    names = [name for name in listed.stdout.split("\0") if name] or [path.as_posix() for path in SOURCES]
    assert len(names) > 300
    assert [name for name in names if any(FORBIDDEN.search(part) for part in name.split("/"))] == []
    assert len({name.lower() for name in names}) == len(names)  # Windows takes no notice of capitals


@pytest.mark.parametrize("name", ["con", "nul", "com1", "lpt9", "a:b", "a?", "a.", "a\\b", "../a"])
def test_no_set_of_images_is_called_as_no_folder_can_be(name: str) -> None:
    with pytest.raises(DataError, match="cannot be taken"):
        as_name(name)


def test_names_that_the_server_gives_are_names_on_windows(tmp_path: Path) -> None:
    names = [
        frame_file(tmp_path, 12).name,
        state_file(tmp_path, 12).name,
        film_folder(tmp_path, 3).name,
        states_folder(tmp_path, 3).name,
        folder_of(tmp_path, 'a visitor: "con"').name,
    ]
    config = RunConfig(device="cpu", epochs=1)
    names += [RunRecord("ann", config, tmp_path).folder.name for _ in range(50)]
    with replacing(tmp_path / "x.json"):
        names += [path.name for path in tmp_path.iterdir()]
    assert [name for name in names if FORBIDDEN.search(name)] == []
    assert len(names) > 55


def test_a_file_that_somebody_reads_is_replaced_a_moment_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where it cannot be replaced until then."""
    replace, refused = os.replace, [PermissionError(13, "in use"), PermissionError(13, "in use")]

    def refuse(made: str, path: Path) -> None:
        if refused:
            raise refused.pop()
        replace(made, path)

    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(os, "replace", refuse)
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
    assert not refused and (tmp_path / "a").read_bytes() == b"new"
    refused += [PermissionError(13, "in use")] * 20  # for good
    with pytest.raises(PermissionError), replacing(tmp_path / "a") as file:
        file.write(b"newer")
    assert (tmp_path / "a").read_bytes() == b"new" and [path.name for path in tmp_path.iterdir()] == ["a"]


def test_scripts_are_scripts_whatever_the_system_says() -> None:
    """Windows takes the kind of a file from its registry, where .js may be plain text: a browser then runs none."""
    mimetypes.add_type("text/plain", ".js")
    answer = TestClient(Starlette(routes=[asset_route()])).get("/assets/live/live.js")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
