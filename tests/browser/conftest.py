"""Pages of the workflow in real browsers, opened from disk as a user opens them."""

import shutil
from pathlib import Path

import pytest
from tests.made_viewer import make_viewer

#: Programs that distributions install, by what playwright calls them.
PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox",)}
#: How they are started; a Firefox of a distribution is driven by the protocol of all browsers.
OPTIONS = {"chromium": {"args": ["--no-sandbox"]}, "firefox": {"channel": "moz-firefox"}}
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
        kind = getattr(driver, request.param)
        options = OPTIONS[request.param] | {"executable_path": shutil.which(found)}
        try:
            opened = kind.launch(timeout=PATIENCE_MS, **options)
            opened.new_context().close()
        except sync_api.Error as error:
            pytest.skip(f"{found} cannot be driven by this playwright: {str(error)[:200]}")
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
