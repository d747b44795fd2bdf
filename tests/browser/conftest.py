"""Pages of the workflow in a real browser, opened from disk as a user opens them."""

import shutil
from pathlib import Path

import pytest

#: Programs that distributions install, and what playwright calls them.
BROWSERS = {"chromium": "chromium", "chromium-browser": "chromium", "google-chrome": "chromium"}


def _launched(programs):
    """Yield a browser of which the program is installed, or skip and say why."""
    found = next((name for name in programs if shutil.which(name)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(programs)} is installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if programs[found] == "chromium" else []
        kind = getattr(driver, programs[found])
        opened = kind.launch(executable_path=shutil.which(found), args=arguments)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def browser():
    """Return Chromium."""
    yield from _launched(BROWSERS)


@pytest.fixture
def context(browser):
    """Return a browser that knows nothing yet; no page in it may report an error."""
    made, errors = browser.new_context(viewport={"width": 1400, "height": 900}), []
    made.set_default_timeout(10_000)

    def watch(page):
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )

    made.on("page", watch)
    made.errors = errors
    yield made
    made.close()
    assert not errors


@pytest.fixture
def address():
    """Return a function that gives the address of a file, and of a view in it."""

    def of(path: Path, view: str = "") -> str:
        return path.resolve().as_uri() + (f"#/{view}" if view else "")

    return of
