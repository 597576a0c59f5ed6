"""Open a page in headless Chromium, and watch what it asks for and complains about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def browser_path() -> str:
    """The installed browser; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no browser is installed ({', '.join(NAMES)})")
    return path


@contextmanager
def opened(path: Path, width: int, height: int = 900) -> Iterator:
    """(page, problems): `problems` gets every console message, error and request but the page."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    executable, problems = browser_path(), []
    # Chromium refuses its sandbox to root.
    flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=flags)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url))
        page.goto(path.as_uri())
        problems.remove(path.as_uri())
        yield page, problems
        browser.close()
