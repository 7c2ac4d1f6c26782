"""What not every system has, asked for here and nowhere else: each with what is done where it is missing.

Linux and macOS are POSIX systems; Windows is none. A type checker reads this file as each of them sees it.
"""

import ctypes
import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl
    import resource

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of mallopt, see malloc.h
_FAR = 2**30  # the byte that is locked on Windows: nobody can read such a byte, and all that is written lies before it


def can_inherit() -> bool:
    """Whether a process that is started can be given open files by their numbers."""
    return sys.platform != "win32"


def cores() -> int:
    """How many processors this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def apart() -> dict[str, Any]:
    """Options of Popen for a process that no Ctrl-C reaches: it is ended by whoever has started it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


@functools.cache
def _c_library() -> ctypes.CDLL | None:
    """The C library where it is GNU's, whose memory can be told what to do."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "malloc_trim") else None


def keep_freed() -> None:
    """Let this process keep the memory of large tensors that are freed: the next step needs as much at once.

    Given back and asked for anew, it comes in pages of zeros: a sixth of the time of a step.
    """
    if library := _c_library():
        for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1)):
            library.mallopt(option, value)


def give_back_freed() -> None:
    """Give back to the system what memory this process has freed and kept."""
    if library := _c_library():
        library.malloc_trim(0)


def lock(file: IO[str]) -> None:
    """Take a file for this process alone, until it is closed or the process ends, however sudden.

    Raises:
        OSError: another process has it.
    """
    if sys.platform == "win32":
        os.lseek(file.fileno(), _FAR, os.SEEK_SET)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        os.lseek(file.fileno(), 0, os.SEEK_SET)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def resident_bytes(pid: int) -> int | None:
    """Memory that a process holds: from Linux's /proc, elsewhere as `ps` says; None where neither knows it."""
    try:
        return _from_proc(str(pid))
    except (OSError, ValueError, IndexError):
        pass
    try:
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, timeout=2)
        return int(said.stdout) * 1024
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def own_bytes() -> int:
    """Of this process: what it holds now, or where that cannot be read, the most that it has held; 0 on Windows."""
    try:
        return _from_proc("self")
    except OSError:
        if sys.platform == "win32":
            return 0
        else:
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            return most if sys.platform == "darwin" else 1024 * most


def _from_proc(process: str) -> int:
    if sys.platform == "win32":
        raise FileNotFoundError("/proc")
    return int(Path(f"/proc/{process}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
