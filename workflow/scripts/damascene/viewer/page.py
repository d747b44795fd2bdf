"""The page of the viewer: one file of HTML, which loads what lies beside it and nothing else."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import jinja2

FOLDER = Path(__file__).parent
#: Scripts in the order in which they need each other.
SCRIPTS = (
    *("elements.js", "data.js", "tiles.js", "sites.js", "marks.js", "overlays.js"),
    *("panorama.js", "details.js", "filters.js", "index.js", "map.js"),
    *("review_store.js", "review.js", "app.js"),
)
#: What else the page is made from.
STYLES, TEMPLATE = ("style.css", "review.css"), "index.html.j2"
# Static files of the map library, which do the zooming.
_LEAFLET = "django-js-lib-leaflet"
# The one script that is not in a file of its own.
_START = "damascene.app.start();"


def write_page(study: Mapping) -> str:
    """Return the page of a study as HTML.

    Parameters
    ----------
    study : mapping
        What the page knows before it loads anything, as JSON can hold it: `study` is its name,
        `panoramas` has a row for each panorama.

    Returns
    -------
    str
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER), autoescape=True, undefined=jinja2.StrictUndefined
    )
    library = leaflet()
    banner = f"/*\n{library['licence']}\n*/\n"
    scripts = [banner + library["script"], *map(_own, SCRIPTS), _START]
    return environment.get_template(TEMPLATE).render(
        study=study,
        policy=policy(scripts),
        content=in_script(study),
        styles=[library["style"], *map(_own, STYLES)],
        scripts=scripts,
    )


def policy(scripts: Iterable[str]) -> str:
    """Return what a browser may run and load: these scripts, and files beside the page.

    Whatever a user wrote into a note, nothing of it is run, and nothing comes from a network.
    """
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts)
    known = " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests)
    return (
        f"default-src 'none'; script-src 'self' file: {known}; style-src 'unsafe-inline'; "
        "img-src 'self' file: data: blob:; base-uri 'none'; form-action 'none'"
    )


def in_script(content: object) -> str:
    """Write JSON that may stand in an element of script: no text in it can end the element."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def leaflet() -> dict[str, str]:
    """Return script, style and licence of the map library."""
    files = {Path(file).name: file.locate() for file in metadata.files(_LEAFLET)}
    script = Path(files["leaflet.js"]).read_text(encoding="utf-8")
    style = Path(files["leaflet.css"]).read_text(encoding="utf-8")
    return {
        # Neither the map of its sources nor the pictures of controls are a part of the page.
        "script": script.replace("//# sourceMappingURL=leaflet.js.map", ""),
        "style": re.sub(r"url\(images/[^)]*\)", "none", style),
        "licence": Path(files["LICENSE"]).read_text(encoding="utf-8").strip(),
    }


def page_sources() -> list[str]:
    """Return the files that the page is made from, which no fingerprint of code holds."""
    return [str(FOLDER / name) for name in (*SCRIPTS, *STYLES, TEMPLATE)]


def _own(name):
    return (FOLDER / name).read_text(encoding="utf-8")
