"""Find a Chromium for the browser tests, or install one: the system's, Debian's package, Playwright's download.

Where Debian's packages can be installed Fashion-MNIST comes with it, which one test of the core reads.

Headless shell is the same engine without windows around its pages: the tests take two thirds of the time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE, IMAGES = "chromium-headless-shell", "dataset-fashion-mnist"
FASHION = Path("/usr/share/datasets/fashion-mnist")  # where that package puts it
WITHOUT_FASHION = f"no Fashion-MNIST in {FASHION}: install Debian's {IMAGES}"
NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


def system_browser() -> str | None:
    """The path of an installed Chromium or Chrome; ELBO_CHROMIUM names another one."""
    named = os.environ.get("ELBO_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def starts() -> bool:
    """Whether a browser can be started: the system's if there is one, else Playwright's own."""
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as p:
            p.chromium.launch(executable_path=system_browser(), args=FLAGS).close()
    except Error:
        return False
    return True


def main() -> int:
    may_install = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    wanted = [] if "ELBO_CHROMIUM" in os.environ or shutil.which(PACKAGE) else [PACKAGE]
    wanted += [] if FASHION.is_dir() else [IMAGES]
    if wanted and may_install:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        for package in wanted:  # one that is not to be had keeps no other away
            subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False, stdout=subprocess.DEVNULL)
    if starts():
        return 0
    if system_browser() is None and may_install:
        subprocess.run(["apt-get", "install", "-y", "-qq", "chromium"], check=False, stdout=subprocess.DEVNULL)
    if system_browser() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"], check=False)
    if starts():
        return 0
    print("No Chromium could be started: install one (apt-get install chromium), then run make test again.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
