"""Pages of the workflow in real browsers, opened from disk as a user opens them."""

import shutil
from pathlib import Path

import pytest
from tests.made_viewer import make_viewer

#: Programs that distributions install, by what playwright calls them.
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox",)}
#: What is to appear is there after this time in ms, even on a busy machine.
PATIENCE_MS = 15_000


@pytest.fixture(scope="session", params=PROGRAMS)
def browser(request):
    """Return a browser of which a program is installed, or skip and say why."""
    programs = PROGRAMS[request.param]
    found = next(filter(shutil.which, programs), None)
    if found is None:
        pytest.skip(f"none of {', '.join(programs)} is installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        arguments = ["--no-sandbox"] if request.param == "chromium" else []
        kind = getattr(driver, request.param)
        opened = kind.launch(executable_path=shutil.which(found), args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def context(browser):
    """Return a browser that knows nothing yet; no page in it may err, or use a network."""
    made, errors = browser.new_context(viewport={"width": 1400, "height": 900}), []
    made.set_default_timeout(PATIENCE_MS)

    def watch(page):
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        page.on("request", asked)

    def asked(request):
        if not request.url.startswith(("file:", "blob:", "data:")):
            errors.append(f"asked for {request.url}")

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


@pytest.fixture(scope="session")
def viewer_page(tmp_path_factory):
    """A page with three panoramas, in a folder whose name no address takes as it is."""
    folder = tmp_path_factory.mktemp("viewer") / "50 % #1 ümlaut"
    folder.mkdir()
    return make_viewer(folder)


@pytest.fixture
def opened(context, address):
    """Return a function that opens a view of a page."""

    def open_page(path: Path, view: str = ""):
        page = context.new_page()
        page.goto(address(path, view))
        return page

    return open_page
