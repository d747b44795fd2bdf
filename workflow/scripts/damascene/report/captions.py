"""Captions and other texts in reStructuredText, as HTML.

The captions are those of Snakemake's own report. What they say of this run comes from the params of
the rule that made the item.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import docutils.core
import jinja2

#: Folder of the captions.
CAPTIONS = Path(__file__).parents[3] / "report"
# Tables and files stand elsewhere in this report.
_ELSEWHERE = re.compile(
    r"^\.\. (?:csv-table|include)::[^\n]*\n(?:[ \t]+[^\n]*\n|\s*\n(?=[ \t]))*", re.M
)
_PARAMS = re.compile(r"snakemake\.params\.(\w+)")
_SETTINGS = {
    # Texts hold names that users gave: nothing in them may read a file or be HTML.
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "halt_level": 5,
    "report_level": 4,
    "initial_header_level": 4,
    "math_output": "HTML",
    "_disable_config": True,
}
_TEMPLATES = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)


def params_in(name: str) -> set[str]:
    """Return the names of the params that a caption speaks of."""
    path = CAPTIONS / f"{name}.rst"
    return set(_PARAMS.findall(path.read_text(encoding="utf-8"))) if path.exists() else set()


def caption(
    name: str,
    *,
    config: Mapping,
    params: Mapping[str, object],
    wildcards: Mapping[str, str],
) -> str:
    """Return a caption as HTML.

    Parameters
    ----------
    name : str
        Of its file, without `.rst`.
    config : mapping
        The configuration with all defaults.
    params : mapping of str to value
        Of the rule that made the item.
    wildcards : mapping of str to str
        Of the item.

    Raises
    ------
    jinja2.UndefinedError
        If the caption speaks of something that is not given.
    """
    text = (CAPTIONS / f"{name}.rst").read_text(encoding="utf-8")
    panorama = wildcards.get("panorama", "")
    job = SimpleNamespace(
        config=config,
        params=dict(params),
        wildcards=dict(wildcards),
        input={"pairs": f"panoramas/{panorama}.stitching.tsv"},
    )
    return as_html(_TEMPLATES.from_string(text).render(snakemake=job))


def as_html(text: str) -> str:
    """Return reStructuredText as a fragment of HTML; what it includes from files is left out."""
    text = _ELSEWHERE.sub("", text + "\n")
    parts = docutils.core.publish_parts(text, writer="html5", settings_overrides=_SETTINGS)
    return parts["body"]
