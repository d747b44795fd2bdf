"""The data beside the report: tables, sites, the meaning of columns, figures, and settings."""

import json
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import yaml

from damascene.contracts.catalogue import table_in, type_name
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table
from damascene.files import add_to_archive, written_whole
from damascene.report.citations import bibtex
from damascene.report.facts import Study
from damascene.report.pictures import smaller
from damascene.report.sections import items
from damascene.report.units import unit_of
from damascene.report.workbook import write_workbook

# Figures of single panoramas would make an archive of gigabytes.
_MOST_PANORAMAS = 12
# Tables that people look for first.
_FIRST = (
    *("verdict", "densities", "corrected", "conditions", "rate_ratios", "evolution"),
    "detection_recall",
)
_ABOUT = """Data of the study "{study}", made by damascene.

tables.xlsx          all tables, a sheet each; the first sheet explains the columns
tables/              the same tables as text with tabs
sites.csv            every site of every panorama, one row each
data_dictionary.tsv  every column of every table: unit, type, meaning
figures/             figures as SVG (vector, text is text)
config.yaml          all settings, with the defaults of those that were not given
panoramas.tsv        the sample sheet
methods.rst          how sites were found and classified, in words for a paper
references.bib       works to cite
"""


def write_sites(study: Study, path: str | Path) -> None:
    """Write the sites of all panoramas below each other as one file, a panorama at a time.

    Parameters
    ----------
    study : Study
    path : path
        Of a file with commas and a header, in the units of its columns.
    """
    with written_whole(path) as (part,), part.open("w", encoding="utf-8", newline="") as file:
        for number, source in enumerate(study.site_files()):
            table = read_table(source, SITES)
            table.to_csv(file, index=False, header=number == 0, float_format="%.9g")


def dictionary(names: list[str]) -> pd.DataFrame:
    """Return every column of some tables with its unit, type and meaning.

    Parameters
    ----------
    names : list of str
        Paths of tables below results/.
    """
    rows, told = [], set()
    for name in names:
        found = table_in(name)
        if found is None or found[0] in told:
            continue
        told.add(found[0])
        for column, about in found[1].columns.items():
            rows.append(
                {
                    "table": found[0],
                    "one row is": found[1].description,
                    "column": column,
                    "unit": unit_of(column),
                    "type": type_name(about),
                    "meaning": about.description,
                }
            )
    return pd.DataFrame(rows, columns=["table", "one row is", "column", "unit", "type", "meaning"])


def joined_tables(study: Study) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its pattern, those of single panoramas below each other.

    Those that answer the question of a study come first, then all others by name.
    """
    by_pattern = {}
    for name in study.table_files():
        if found := table_in(name):
            by_pattern.setdefault(found[0], []).append(name)
    first = {f"statistics/{name}.tsv": place for place, name in enumerate(_FIRST)}
    for pattern, names in sorted(
        by_pattern.items(), key=lambda each: (first.get(each[0], len(first)), each[0])
    ):
        tables = [study.table(name) for name in names]
        filled = [table for table in tables if len(table)] or tables[:1]
        yield pattern, pd.concat(filled, ignore_index=True)


def write_bundle(study: Study, path: str | Path, *, sites: str | Path | None) -> None:
    """Write the archive.

    Parameters
    ----------
    study : Study
    path : path
    sites : path or None
        Of the sites as one file, None where a study has none.
    """
    explained = dictionary([*study.table_files(), *(["sites/_.parquet"] if sites else [])])
    with (
        written_whole(path) as (part,),
        zipfile.ZipFile(part, "w") as archive,
    ):
        add = partial(add_to_archive, archive)
        add("README.txt", _ABOUT.format(study=study.settings["study"]))
        add("tables.xlsx", write_workbook(joined_tables(study), explained=explained))
        add("data_dictionary.tsv", explained.to_csv(sep="\t", index=False))
        add("config.yaml", yaml.safe_dump(json.loads(json.dumps(study.settings)), sort_keys=False))
        add("panoramas.tsv", study.sheet)
        add("references.bib", bibtex(study))
        if methods := study.text("statistics/methods.rst"):
            add("methods.rst", methods)
        if sites:
            add("sites.csv", Path(sites))
        for name in study.table_files():
            add(f"tables/{name}", study.path(name))
        left_out = _of_panoramas(study) if len(study.panoramas) > _MOST_PANORAMAS else set()
        for name in study.figure_files():
            if name not in left_out:
                add(name, smaller(study.path(name)))


def _of_panoramas(study):
    """Return the figures of single panoramas."""
    patterns = [item.path for item in items() if "{panorama}" in item.path]
    return {each.format(panorama=name) for each in patterns for name in study.panoramas}
