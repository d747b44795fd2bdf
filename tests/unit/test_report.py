"""The report: captions in every configuration, tables as text, one page, and the data beside it."""

import base64
import io
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import openpyxl
import pandas as pd
import pytest
from made_densities import densities_with
from made_records import panorama_record
from PIL import Image
from test_label_effect import held_out as answers
from test_label_effect import state as labels_of
from test_statistics import densities_of, make_sites

from damascene.config.study import load_study
from damascene.contracts.densities import DENSITIES
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.label_history import LABEL_EFFECT
from damascene.contracts.labels import CONTRADICTIONS, ORPHANS
from damascene.contracts.sites import SITES
from damascene.contracts.table import empty_table, write_table, write_tsv
from damascene.contracts.verdict import VERDICT
from damascene.evaluation.label_effect import label_effect
from damascene.figures import style
from damascene.report import captions, citations
from damascene.report.build import write_report
from damascene.report.bundle import joined_tables, write_bundle
from damascene.report.facts import Study, change_with_strain, counted, new_labels
from damascene.report.first_page import _cell
from damascene.report.page import write_page
from damascene.report.pictures import inline
from damascene.report.sections import SECTIONS, Drawn, analyses, is_read, items
from damascene.report.tables import lay_out, text_of, with_interval
from damascene.report.units import heading
from damascene.report.workbook import sheet_names, write_workbook
from damascene.statistics.conditions import condition_table
from damascene.statistics.evolution import evolution_table
from damascene.statistics.intervals import poisson_interval

REPORTED = Path(captions.__file__).parents[1]
SCRIPT = "<script>alert(1)</script>"
#: What the rules hand over to captions, as the plan says it in one configuration or another.
PARAMS = {
    "tested": "1 of 5 folds, by networks trained without them",
    "doubts": [],
    "coverage": 0.9,
    "hard_phase": "martensite",
    "confidence": 0.95,
    "minimum_area": "20 px2",
    "phase": "martensite",
}
CONFIGURATIONS = {
    "default": ({}, {}),
    "cross-validated": (
        {"split": {"cross_validate": True}},
        {"tested": "all 5 folds, by networks trained without them"},
    ),
    "doubtful": ({}, {"doubts": [f"Scores may be too good: {SCRIPT}."]}),
    "from elsewhere": (
        {"models": "simulated"},
        {"tested": "all labels, by networks trained elsewhere"},
    ),
    "phases alone": ({"segmentation": {"method": "train"}}, {}),
    "no phases": ({"segmentation": {"method": "none"}}, {}),
}


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_captions_are_whole_in_every_configuration(configuration):
    keys, changes = CONFIGURATIONS[configuration]
    config = load_study(keys).model_dump()
    for name in sorted({item.caption for item in items()}):
        params = {each: PARAMS.get(each, "value") for each in captions.params_in(name)}
        html = captions.caption(
            name,
            config=config,
            params=params | {key: value for key, value in changes.items() if key in params},
            wildcards={"panorama": SCRIPT, "stage": "damage"},
        )
        text = re.sub(r"<[^>]+>", " ", html)
        assert len(text.split()) > 10, name
        assert not re.search(r"system-message|snakemake\.|\{[{%]|\bnan\b|\bNone\b", html), name
        assert "<script" not in html, name
        # What is done already is not asked for.
        assert "cross_validate" not in text, name


def test_every_caption_of_a_section_is_there():
    for item in items():
        assert (captions.CAPTIONS / f"{item.caption}.rst").is_file(), item
    assert len({section.key for section in SECTIONS}) == len(SECTIONS)
    assert len({item.path for item in items()}) == sum(1 for _ in items())


def test_the_report_reads_tables_and_what_its_sections_name():
    assert is_read("statistics/densities.tsv") and is_read("figures/overview_{panorama}.svg")
    assert not is_read("models/damage.history.tsv") and not is_read("panoramas/{panorama}.ome.tif")
    assert "figures/sensitivity.svg" in analyses()["sensitivity"]


def test_an_interval_stands_behind_its_value_and_what_all_rows_share_below():
    table = pd.DataFrame(
        {
            "panorama": ["a", "b", "c"],
            "density_per_mm2": [12.345, np.nan, 1234.5],
            "density_low_per_mm2": [10.0, np.nan, np.nan],
            "density_high_per_mm2": [20.0, np.nan, np.nan],
            "value": [0.5, 0.25, 1.0],
            "low": [0.1, 0.2, np.nan],
            "high": [0.9, 0.3, np.nan],
            "p_value": [1e-9, 0.02, 1.0],
            "note": ["", "", ""],
            "confidence": [0.95] * 3,
        }
    )
    laid = lay_out(table)
    assert laid.headings == ["panorama", "density (1/mm²)", "value", "p value"]
    assert laid.rows[0] == ["a", "12.3 [10, 20]", "0.5 [0.1, 0.9]", "< 0.001"]
    assert laid.rows[1][1] == "–" and laid.rows[2][1] == "1234"
    assert laid.notes == ["In all rows confidence is 0.95."]


def test_long_and_wide_tables_say_what_is_not_shown():
    long = lay_out(pd.DataFrame({"count": range(100)}), most_rows=10)
    assert len(long.rows) == 10 and "10 of 100 rows" in long.notes[0]
    wide = pd.DataFrame({f"x{number}_um": range(20) for number in range(15)})
    laid = lay_out(wide)
    assert len(laid.headings) == 13 and "x13 (µm), x14 (µm)" in laid.notes[-1]
    # Few rows are laid on their side instead.
    laid = lay_out(wide.head(2))
    assert laid.headings == ["x0 (µm)", "0", "1"] and len(laid.rows) == 14


def test_every_unit_in_a_name_is_known():
    """A column with a unit of which the report knows nothing would stand there without."""
    for name, unit in (("density_per_mm2", "1/mm²"), ("area_um2", "µm²"), ("strain_percent", "%")):
        assert heading(name).endswith(f"({unit})")
    assert heading("count") == "count"


class Texts(HTMLParser):
    """Collects tags and text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def study(tmp_path):
    """Return a study of two panoramas with sites, whose texts hold what HTML would run."""
    results = tmp_path / "results"
    sites = make_sites([("a", "notch", 1.0, False), ("a", "inclusion", 2.0, False)] * 3)
    densities = densities_of(sites, [("a", 6.0, 0.01), ("b", float("nan"), 0.02)])
    verdict = pd.DataFrame(
        [
            {
                "number": "counts of notch",
                "kind": "counts",
                "class": "notch",
                "usable": "no",
                "reason": f"no label: {SCRIPT}",
            }
        ]
    )
    for folder in ("statistics", "sites", "panoramas", "figures"):
        (results / folder).mkdir(parents=True)
    write_tsv(densities, results / "statistics/densities.tsv", DENSITIES)
    write_tsv(verdict, results / "statistics/verdict.tsv", VERDICT)
    (results / "statistics/headline.txt").write_text(f"! greys {SCRIPT} differ\n")
    (results / "statistics/methods.rst").write_text(
        f"**How.** {SCRIPT}\n\n.. raw:: html\n\n   {SCRIPT}\n"
    )
    for name in ("a", "b"):
        write_table(sites[sites["panorama"] == name], results / f"sites/{name}.parquet", SITES)
        panorama_record(name).write(results / f"panoramas/{name}.json")
    (results / "figures/class_shares.svg").write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE svg>\n<svg xmlns="http://www.w3.org/2000/svg">'
        '<defs><clipPath id="p1"/></defs><g clip-path="url(#p1)"><text>share</text></g></svg>'
    )
    return Study(
        results=results,
        files=frozenset(str(path.relative_to(results)) for path in results.rglob("*.*")),
        settings=load_study({"study": f"steel {SCRIPT}"}).model_dump(mode="json"),
        sheet=f"panorama\tpath\tnote\na\ta.tif\t{SCRIPT}\n",
        panoramas=("a", "b"),
        strains_percent={"a": 6.0, "b": float("nan")},
        conditions={"a": f"annealed {SCRIPT}", "b": ""},
        facts={
            "trains": True,
            "tested": PARAMS["tested"],
            "doubts": [],
            "untested": "no labels",
            "unclassified": "No site is classified yet.",
        },
    )


def test_the_page_needs_nothing_beside_it_and_runs_nothing(study):
    page = write_page(study, params={})
    parser = Texts()
    parser.feed(page)
    tags = [tag for tag, _ in parser.tags]
    assert "script" not in tags and "link" not in tags and "iframe" not in tags
    places = [attrs.get("src") or attrs.get("href") or "" for _, attrs in parser.tags]
    assert not [place for place in places if re.match(r"(https?:)?//", place)]
    assert "@import" not in page
    # Everything that a user wrote is there as text.
    text = "".join(parser.text)
    assert text.count(SCRIPT) >= 6
    assert "<text>share</text>" in page
    assert re.search(r"\bnan\b|\bNone\b", text) is None


def test_the_page_has_the_numbers_of_the_table(study):
    parser = Texts()
    parser.feed(write_page(study, params={}))
    text = " ".join(" ".join(parser.text).split())
    # 3 sites in 0.01 mm²; Garwood's bounds of 3 are 0.6187 and 8.7673.
    assert "3: 300 [61.9, 877]" in text
    assert "not known of 1" in text and "unknown" in text
    assert "a (6 %)" in text and "b (strain unknown)" in text


def test_a_study_without_any_site_or_class_has_a_page(study):
    empty = replace(
        study,
        files=frozenset({"panoramas/a.json", "panoramas/b.json"}),
        conditions={"a": "", "b": ""},
    )
    parser = Texts()
    parser.feed(write_page(empty, params={}))
    text = "".join(parser.text)
    assert "No site is classified yet." in text and "nan" not in text


def test_a_thousand_panoramas_are_summed_up(study):
    names = [f"p{number}" for number in range(1000)]
    sites = make_sites([(name, "notch", 1.0, False) for name in names])
    strains = {name: float(number % 5) for number, name in enumerate(names)}
    densities = densities_of(sites, [(name, strains[name], 0.01) for name in names])
    write_tsv(densities, study.path("statistics/densities.tsv"), DENSITIES)
    many = replace(
        study,
        panoramas=tuple(names),
        strains_percent=strains,
        conditions=dict.fromkeys(names, ""),
    )
    page = write_page(many, params={})
    assert len(page) < 1_000_000
    parser = Texts()
    parser.feed(page)
    text = " ".join(" ".join(parser.text).split())
    assert "0 % (200 panoramas)" in text and "200: 100 [86.6, 115]" in text


def test_the_data_beside_the_page_open_and_agree(study, tmp_path):
    paths = {name: tmp_path / name for name in ("report.html", "data.zip", "sites.csv")}
    write_report(
        study,
        page=paths["report.html"],
        data=paths["data.zip"],
        sites=paths["sites.csv"],
        params={},
    )
    sites = pd.read_csv(paths["sites.csv"])
    assert list(sites.columns) == list(SITES.columns) and len(sites) == 6
    with zipfile.ZipFile(paths["data.zip"]) as archive:
        names = set(archive.namelist())
        assert {"README.txt", "tables.xlsx", "sites.csv", "data_dictionary.tsv"} <= names
        assert {"tables/statistics/densities.tsv", "config.yaml", "panoramas.tsv"} <= names
        assert {"references.bib", "figures/class_shares.svg"} <= names
        book = openpyxl.load_workbook(io.BytesIO(archive.read("tables.xlsx")))
        told = pd.read_csv(io.BytesIO(archive.read("data_dictionary.tsv")), sep="\t")
    assert book.sheetnames[0] == "columns"
    sheet = book["densities"]
    head = [cell.value for cell in sheet[1]]
    assert "density_per_mm2 (1/mm²)" in head
    table = pd.read_csv(study.path("statistics/densities.tsv"), sep="\t")
    counts = [row[head.index("count")].value for row in sheet.iter_rows(min_row=2)]
    assert counts == table["count"].tolist()
    # Every column of every table is told, those of the sites, too.
    columns = told.groupby("table")["column"].apply(set)
    assert columns["statistics/densities.tsv"] == set(DENSITIES.columns)
    assert columns["sites/{panorama}.parquet"] == set(SITES.columns)


def test_text_in_a_workbook_is_no_formula():
    table = pd.DataFrame({"note": ["=1+1", "+cmd|' /C calc'!A0", "plain\x01"], "count": [1, 2, 3]})
    explained = pd.DataFrame({"table": ["a.tsv"], "column": ["note"]})
    book = openpyxl.load_workbook(
        io.BytesIO(write_workbook([("a.tsv", table)], explained=explained))
    )
    cells = [row[0] for row in book["a"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == ["=1+1", "+cmd|' /C calc'!A0", "plain "]
    assert all(cell.data_type == "s" for cell in cells)


def test_sheets_have_names_that_differ():
    long = [f"statistics/a_very_long_name_of_a_table_{number}.tsv" for number in range(12)]
    names = sheet_names([*long, "quality/{panorama}.tsv", "statistics/columns.tsv"])
    assert len({name.lower() for name in names.values()}) == 14
    assert all(len(name) <= 31 for name in names.values())
    assert names["quality/{panorama}.tsv"] == "quality each" and "columns" not in names.values()


def test_figures_share_no_names_and_large_images_are_compressed(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 1), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.concatenate([np.repeat(noise, 3, 2), np.full_like(noise, 255)], 2)).save(
        file, "PNG"
    )
    data = base64.b64encode(file.getvalue()).decode()
    svg = (
        '<svg xmlns:xlink="x"><clipPath id="c"/><g clip-path="url(#c)"><use xlink:href="#c"/>'
        f'<image xlink:href="data:image/png;base64,{data}"/></g></svg>'
    )
    for name in ("one", "two"):
        (tmp_path / f"{name}.svg").write_text(svg)
    one, two = (inline(tmp_path / f"{name}.svg") for name in ("one", "two"))
    assert 'id="one-c"' in one and "url(#one-c)" in one and 'xlink:href="#one-c"' in one
    assert 'id="two-c"' in two
    assert "data:image/jpeg" in one and len(one) < len(svg)


def test_all_figures_of_a_study_are_vectors_with_text(tmp_path):
    with matplotlib.rc_context(style.STYLE):
        figure = style.new_figure(width_mm=style.COLUMN_WIDTH_MM, height_mm=50)
        figure.subplots().set_xlabel("area (µm²)")
    style.save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")
    svg = (tmp_path / "a.svg").read_text()
    assert re.search(r"<text [^>]*>area \(µm²\)</text>", svg)
    assert "@font-face" in svg and "data:font/woff;base64," in svg


def test_what_captions_say_of_a_run_is_known_to_the_report():
    """Params that the engine evaluates for each job are not: the report knows these by itself."""
    rules = Path(captions.CAPTIONS).parent / "rules"
    bodies = [
        body
        for path in rules.rglob("*.smk")
        for body in re.split(r"^(?:use )?rule ", path.read_text(), flags=re.MULTILINE)
    ]
    known = {"tested", "doubts", "untested", "trains", "confidence", "panoramas"}
    for name in {item.caption for item in items()}:
        for body in bodies:
            if f"report/{name}.rst" not in body:
                continue
            for each in captions.params_in(name) - known:
                assert re.search(rf"\b{each}=(?!untracked|lambda)", body), (name, each)


@pytest.mark.parametrize(
    ("value", "name", "said"),
    [
        (999.6, "", "1000"),
        (-999.6, "", "-1000"),
        (999.4, "", "999"),
        (2.8e-64, "", "0"),
        (0.0, "p_holm", "< 0.001"),
        (1e-9, "fit_p_value", "< 0.001"),
        (1e-9, "rayleigh_p", "< 0.001"),
        (0.0, "p_notch", "0"),
    ],
)
def test_numbers_are_written_for_readers(value, name, said):
    assert text_of(value, name) == said


def test_a_workbook_opens_whatever_its_cells_hold():
    odd = "<b>&" + "".join(map(chr, (0, 0x0B, 0xFFFE, 0xFFFF)))
    table = pd.DataFrame({"class": [odd, "=1+1"], "ratio": [np.inf, -np.inf]})
    explained = pd.DataFrame({"table": ["a.tsv"], "column": ["ratio"]})
    book = openpyxl.load_workbook(
        io.BytesIO(write_workbook([("a.tsv", table)], explained=explained))
    )
    rows = list(book.worksheets[1].values)[1:]
    assert [row[1] for row in rows] == ["∞", "−∞"] and rows[0][0].startswith("<b>&")


def test_panoramas_in_the_headline_have_the_interval_of_the_table_of_conditions():
    counts = {"notch": [5, 40, 8, 90, 20, 3], "inclusion": [4] * 6}
    densities = densities_with(counts, [5] * 6)
    names = sorted(set(densities["panorama"]))
    conditions = dict.fromkeys(names, "hot")
    table = condition_table(densities, conditions=conditions, confidence=0.95)
    row = table.set_index("class").loc["notch"]
    said, _ = _cell(densities, None, names, "notch")
    low, high = row["low_per_mm2"], row["high_per_mm2"]
    assert said == f"166: {with_interval(row['density_per_mm2'], low, high)}"
    # Panoramas differ far more than independent sites would.
    assert high - low > 3 * np.ptp(poisson_interval(166)) / row["area_mm2"]
    withheld = densities["panorama"].eq(names[0]) & densities["class"].eq("notch")
    densities.loc[withheld, "not_estimated"] = "foreign"
    assert "(without 1 panorama)" in _cell(densities, None, names, "notch")[0]


def drawn(study, *, kind):
    """Return a study in which every figure is drawn, with what its plan would say of it."""
    svg = study.path("figures/class_shares.svg").read_text()
    names = set(study.files)
    for item in items():
        if isinstance(item, Drawn):
            for panorama in study.panoramas:
                name = item.path.format(panorama=panorama)
                study.path(name).write_text(svg)
                names.add(name)
    if kind in ("no site", "phases alone"):
        names -= {"sites/a.parquet", "sites/b.parquet"}
    if kind == "phases alone":
        names -= {name for name in names if name.startswith("statistics/")}
    facts = {**study.facts, "untested": "no labels" if kind != "labelled" else ""}
    if kind == "no labels":
        facts |= {"trains": False, "tested": "", "elsewhere": "simulated"}
    return replace(study, files=frozenset(names), facts=facts)


def params_of_captions():
    """Return what the rules hand over to the captions of all items."""
    known = {"tested", "doubts", "untested", "trains", "confidence", "panoramas"}
    return {
        item.path: {
            name: PARAMS.get(name, "value") for name in captions.params_in(item.caption) - known
        }
        for item in items()
    }


@pytest.mark.parametrize("kind", ["labelled", "no labels", "no site", "phases alone"])
def test_all_sections_are_rendered_for_every_kind_of_study(study, kind):
    page = write_page(drawn(study, kind=kind), params=params_of_captions())
    for section in SECTIONS:
        assert f'<h2 id="{section.key}">' in page
    titles = [item.title.format(panorama="a") for item in items() if isinstance(item, Drawn)]
    assert all(f"<strong>{title}.</strong>" in page for title in titles)


def test_what_new_labels_changed_is_told_on_the_first_page_and_in_its_section(study):
    before, after = labels_of(answers(right=0.5)), labels_of(answers(seed=2, right=0.9), minute=1)
    table = label_effect(before, after)
    write_tsv(table, study.path("statistics/label_effect.tsv"), LABEL_EFFECT)
    study.path("statistics/label_effect.txt").write_text(f"Compared are some.\n{SCRIPT}\n")
    study.path("labels").mkdir(exist_ok=True)
    write_tsv(empty_table(ORPHANS), study.path("labels/orphans.tsv"), ORPHANS)
    clash = {"panorama": "a", "site_id": 7, "x_px": 1.0, "y_px": 2.0, "times": ""}
    clash |= {"annotators": "ada|bob", "answers": "notch|inclusion", "label": ""}
    clash |= {"decided": "undecided"}
    write_tsv(pd.DataFrame([clash]), study.path("labels/contradictions.tsv"), CONTRADICTIONS)
    names = {"statistics/label_effect.tsv", "statistics/label_effect.txt"}
    names |= {"labels/orphans.tsv", "labels/contradictions.tsv"}
    whole = drawn(study, kind="labelled")
    whole = replace(whole, files=whole.files | names)
    score = table.set_index(["quantity", "class", "score"]).loc["score", "all", "macro_f1"]
    told = new_labels(whole)
    assert told.startswith("120 labelled sites, 120 before; macro-F1 +")
    assert f"{score['difference']:+.2f} [" in told and "on 120 sites" in told
    page = write_page(whole, params=params_of_captions())
    # A way from the first page, and a heading and what was compared above the figure.
    assert page.index('href="#labels">What they changed') < page.index('<h2 id="labels">')
    heading = page.index("<h3>What the newest labels changed</h3>")
    assert heading < page.index("Compared are some.") < page.index("<strong>What the newest")
    assert SCRIPT not in page
    assert "Sites on which people contradict each other" in page and "ada|bob" in page
    # Nothing went astray: nothing is said of it.
    assert "Answers that belong to no site" not in page
    write_tsv(label_effect(None, after), study.path("statistics/label_effect.tsv"), LABEL_EFFECT)
    assert new_labels(whole) == ""


def test_a_density_has_one_interval_on_the_page_and_the_poisson_one_by_name():
    densities = densities_with({"notch": [40, 3]}, [5, 5])
    first, second = densities.index[densities["class"] == "notch"]
    bounds = ["block_low_per_mm2", "block_high_per_mm2"]
    densities.loc[first, bounds] = [11.0, 22.0]
    densities.loc[second, bounds] = np.nan
    section = next(one for one in items() if one.path == "statistics/densities.tsv")
    laid = lay_out(section.prepare(densities), columns=section.columns)
    at = {name: place for place, name in enumerate(laid.headings)}
    row = laid.rows[first]
    shown, _ = _cell(densities, None, [densities.loc[first, "panorama"]], "notch")
    assert row[at["density (1/mm²)"]] == shown.split(": ")[1]
    assert "[11, 22]" in shown
    poisson = densities.loc[first, ["density_low_per_mm2", "density_high_per_mm2"]].map(text_of)
    assert row[at["poisson interval (1/mm²)"]] == f"[{', '.join(poisson)}]"
    # Without blocks the Poisson interval is all that there is.
    row = laid.rows[second]
    assert row[at["density (1/mm²)"]].endswith(row[at["poisson interval (1/mm²)"]])


def test_notes_of_panoramas_stand_on_the_first_page(study):
    noted = replace(study, notes={"a": f"pixel size assumed {SCRIPT}", "b": ""})
    page = write_page(noted, params={})
    first = page[: page.index('id="warnings"', page.index("<section>"))]
    assert "a: pixel size assumed &lt;script&gt;" in first and SCRIPT not in page


def test_conditions_that_hold_commas_are_told_apart(study):
    two = replace(study, conditions={"a": "polished, etched", "b": "as rolled"})
    assert "as rolled; polished, etched" in write_page(two, params={})


def test_the_change_with_strain_stands_on_the_first_page(study):
    densities = densities_with({"notch": [5, 20, 41], "inclusion": [9, 10, 8]}, [0, 5, 10])
    evolution = evolution_table(densities, confidence=0.95)
    write_tsv(evolution, study.path("statistics/evolution.tsv"), EVOLUTION)
    row = evolution.set_index("class").loc["damage"]
    told = change_with_strain(replace(study, files=study.files | {"statistics/evolution.tsv"}))
    assert f"damage {row['rate_ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" in told
    assert "at 10 % over those at 0 %" in told and "inclusion, the control," in told
    assert change_with_strain(study) == ""


def test_sheets_that_people_look_for_come_first(study):
    names = [name for name, _ in joined_tables(study)]
    assert names[:2] == ["statistics/verdict.tsv", "statistics/densities.tsv"]


def test_every_work_that_the_methods_cite_has_an_entry():
    """Also those of configurations that no study of the tests has."""
    sources = [
        *(REPORTED / "statistics").glob("methods*.py"),
        *(REPORTED / "statistics/phases").glob("methods*.py"),
    ]
    text = "".join(path.read_text() for path in sources)
    text = re.sub(r'"\s*\n\s*f?"', "", text)
    cited = set(re.findall(r"10\.\d{4,}/[\w./-]*[\w-]|(?<=arXiv )\d{4}\.\d+", text))
    assert len(cited) >= 5
    known = [key for key in citations._ENTRIES if citations.is_cited(key, text)]
    entries = "".join(citations._ENTRIES[key] for key in known)
    assert not [place for place in cited if place not in entries]
    assert "underwood1970" in known


def test_captions_of_counted_sites_say_how_many(study):
    svg = study.path("figures/class_shares.svg").read_text()
    study.path("figures/space_a.svg").write_text(svg)
    assert counted(study) == (
        "<p>n = 6 sites in 2 panoramas: inclusion 3, notch 3, shadowing 0, interface 0, "
        "martensite 0, not classified 0.</p>"
    )
    assert counted(study, "b").startswith("<p>n = 0 sites: ")
    assert "n = 6 sites in 2 panoramas" in write_page(study, params={})


def test_only_figures_of_single_panoramas_are_left_out_of_large_archives(study, tmp_path):
    """A panorama may have the last word of another figure's name."""
    figures = {"figures/density_against_strain.svg", "figures/overview_strain.svg"}
    for name in figures:
        study.path(name).write_bytes(study.path("figures/class_shares.svg").read_bytes())
    many = replace(
        study,
        panoramas=("strain", *(f"p{number}" for number in range(20))),
        files=study.files | figures,
    )
    write_bundle(many, tmp_path / "data.zip", sites=None)
    with zipfile.ZipFile(tmp_path / "data.zip") as archive:
        assert figures & set(archive.namelist()) == {"figures/density_against_strain.svg"}
