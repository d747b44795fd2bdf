"""All files of the report of a study."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from damascene.config.study import Study as Settings
from damascene.files import write_text
from damascene.report.bundle import write_bundle, write_sites
from damascene.report.facts import Study
from damascene.report.page import write_page
from damascene.study.plan import plan_study
from damascene.study.sheet import read_sheet


def study_of(
    files: Iterable[str], *, settings: str, sheet: str, facts: Mapping, results: str = "results"
) -> Study:
    """Return what the report is made from.

    Parameters
    ----------
    files : iterable of str
        Paths of the products that belong to the study.
    settings : str
        The study, with the networks of the models that it names, as JSON.
    sheet : str
        Path of the sample sheet.
    facts : mapping
        See `facts.Study`.
    results : str, optional
        Folder of all products.
    """
    plan = plan_study(Settings.model_validate_json(settings), read_sheet(Path(sheet)))
    rows = plan.sheet
    return Study(
        results=Path(results),
        files=frozenset(str(path).removeprefix(f"{results}/") for path in files),
        settings=json.loads(settings),
        sheet=Path(sheet).read_text(encoding="utf-8-sig"),
        panoramas=plan.panoramas,
        strains_percent={name: float(rows["strain_percent"][name]) for name in plan.panoramas},
        conditions={name: rows["condition"][name] for name in plan.panoramas},
        notes={name: rows["notes"][name] for name in plan.panoramas},
        facts=facts,
    )


def write_report(
    study: Study,
    *,
    page: str | Path,
    data: str | Path,
    sites: str | Path | None,
    params: Mapping[str, Mapping],
) -> None:
    """Write the page, the sites as one file, and the data beside the page.

    Parameters
    ----------
    study : Study
    page, data : path
    sites : path or None
        None where no site is classified.
    params : mapping
        See `page.write_page`.
    """
    write_text(page, write_page(study, params=params))
    if sites:
        write_sites(study, sites)
    write_bundle(study, data, sites=sites)
