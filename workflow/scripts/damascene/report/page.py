"""The page of the report: one file of HTML that needs nothing beside it."""

import json
import platform
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path

import jinja2
import yaml

from damascene.figures.fonts import font_face
from damascene.report.captions import as_html, caption
from damascene.report.citations import bibtex
from damascene.report.facts import Study, counted, measured
from damascene.report.first_page import alerts, first_figure, headline, verdict, warnings
from damascene.report.pictures import inline
from damascene.report.sections import SECTIONS, Drawn, Shown
from damascene.report.tables import lay_out
from damascene.statistics.headline import strain_text
from damascene.versions import workflow_version

TEMPLATES = Path(__file__).parent / "templates"
# Figures of a panorama fill a page each.
_MOST_PANORAMAS = 6
# Rows of the table of panoramas.
_MOST_ROWS = 60
_TERMS = "snakemake tensorflow keras scikit-learn scikit-image numpy scipy pandas statsmodels"


def write_page(study: Study, *, params: Mapping[str, Mapping]) -> str:
    """Return the report of a study as HTML.

    Parameters
    ----------
    study : Study
    params : mapping of str to mapping
        What captions say of this run: params by the pattern of the item's path below results/.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    first = first_figure(study)
    sections = [
        {"key": section.key, "title": section.title, "items": shown}
        for section in SECTIONS
        if (shown := list(_items(section, study, params, first)))
    ]
    pictured = _figure(first, study, params) if first else None
    drawn = [pictured, *(each for section in sections for each in section["items"])]
    figure_text = "".join(each["svg"] for each in drawn if each and each["kind"] == "figure")
    page = environment.get_template("report.html.j2").render(
        title=study.settings["study"],
        viewer=study.facts.get("viewer", False),
        style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        font=font_face(figure_text),
        measured=measured(study),
        alerts=alerts(study),
        verdict=verdict(study),
        headline=headline(study),
        first_figure=pictured,
        warnings=warnings(study),
        methods=as_html(study.text("statistics/methods.rst")),
        bibtex=bibtex(study),
        card=as_html(study.text("evaluation/model_card.rst")),
        panoramas=_panorama_table(study),
        sections=sections,
        software=_software(),
        settings=yaml.safe_dump(json.loads(json.dumps(study.settings)), sort_keys=False),
        sheet=study.sheet,
    )
    return page


def _items(section, study, params, first) -> Iterator[dict]:
    for item in section.items:
        if isinstance(item, Shown):
            table = study.table(item.path)
            if table is None or (item.rows_only and table.empty):
                continue
            if item.prepare:
                table = item.prepare(table)
            yield {
                "kind": "table",
                "title": item.title,
                "caption": _caption(item, item.path, study, params, {}),
                "table": lay_out(table, columns=item.columns),
                "file": item.path,
            }
        elif item.path != first:
            yield from _figures(item, study, params)


def _figures(item, study, params):
    if "{panorama}" not in item.name:
        if study.has(item.path):
            yield _drawn(item, item.path, study, params, {})
        return
    drawn = [name for name in study.panoramas if study.has(item.path.format(panorama=name))]
    for name in drawn[:_MOST_PANORAMAS]:
        path = item.path.format(panorama=name)
        yield _drawn(item, path, study, params, {"panorama": name})
    left = len(drawn) - _MOST_PANORAMAS
    if left > 0:
        words = f"{item.title.format(panorama='panoramas')}: {left} more"
        yield {"kind": "more", "title": words, "file": "results/figures"}


def _drawn(item, path, study, params, wildcards):
    return {
        "kind": "figure",
        "of_panorama": bool(wildcards),
        "title": item.title.format(**wildcards),
        "notes": study.text(item.notes).splitlines() if item.notes else [],
        "caption": _caption(item, item.path, study, params, wildcards)
        + (counted(study, wildcards.get("panorama")) if item.counted else ""),
        "svg": inline(study.path(path)),
        "file": path,
    }


def _figure(path, study, params):
    """Return the figure of the first page, with the words of its section."""
    for section in SECTIONS:
        for item in section.items:
            if isinstance(item, Drawn) and item.path == path:
                return _drawn(item, path, study, params, {})
    raise ValueError(f"{path} is in no section")


def _caption(item, pattern, study, params, wildcards):
    return caption(
        item.caption,
        config=study.settings,
        params={
            **study.facts,
            "panoramas": study.panoramas,
            "confidence": study.settings["statistics"]["confidence"],
            **params.get(pattern, {}),
        },
        wildcards=wildcards,
    )


def _panorama_table(study):
    rows = []
    quality = {one.panorama: one for one in study.quality}
    for one in study.records[:_MOST_ROWS]:
        judged = quality.get(one.panorama)
        acquired = one.acquisition.model_dump()
        rows.append(
            {
                "panorama": one.panorama,
                "strain": strain_text(study.strains_percent[one.panorama]),
                "condition": study.conditions.get(one.panorama, ""),
                "size": f"{one.width_px} x {one.height_px}",
                "pixel": f"{one.pixel_size_nm:g}",
                "area": f"{one.valid_area_mm2:.3g}",
                "valid": f"{100 * one.valid_fraction:.3g}",
                "noise": ""
                if judged is None or judged.noise_grey is None
                else f"{judged.noise_grey:.2g}",
                "sharpness": ""
                if judged is None or judged.sharpness is None
                else f"{judged.sharpness:.2g}",
                "source": one.source,
                "acquisition": ", ".join(
                    f"{key.replace('_', ' ')} {value}" for key, value in acquired.items() if value
                ),
                "notes": "; ".join(one.notes),
            }
        )
    return {
        "rows": rows,
        "conditions": any(row["condition"] for row in rows),
        "left": max(0, len(study.records) - _MOST_ROWS),
    }


def _software():
    versions = {"damascene": workflow_version(), "Python": platform.python_version()}
    for name in _TERMS.split():
        versions[name] = metadata.version(name)
    return versions
