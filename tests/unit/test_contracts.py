"""Tables keep what they hold on their way through files, and each says what its columns mean."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from damascene import InputError
from damascene.contracts.densities import DENSITIES
from damascene.contracts.dispersion import DISPERSION
from damascene.contracts.history import HISTORY
from damascene.contracts.labels import LABELS
from damascene.contracts.sensitivity import SENSITIVITY
from damascene.contracts.table import (
    empty_table,
    read_table,
    read_tables,
    read_tsv,
    write_table,
    write_tsv,
)
from damascene.contracts.unlabelled import UNLABELLED

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"
MODULES = sorted(path.stem for path in (SCRIPTS / "damascene/contracts").glob("[a-z]*.py"))
NAMES = ["06", "NA", "null", "1e3", "nan", "None", "True", "-inf", 'a "b"']


def contracts():
    found = {}
    for module in MODULES:
        for name, value in vars(importlib.import_module(f"damascene.contracts.{module}")).items():
            if isinstance(value, pa.DataFrameSchema):
                found[name] = value
    return found


@pytest.mark.parametrize("name", contracts())
def test_every_column_says_what_it_means(name):
    contract = contracts()[name]
    assert contract.description
    silent = [name for name, column in contract.columns.items() if not column.description]
    assert not silent


@pytest.mark.parametrize("name", contracts())
def test_an_empty_table_comes_back_from_both_kinds_of_file(name, tmp_path):
    contract = contracts()[name]
    empty = empty_table(contract)
    write_table(empty, tmp_path / "table.parquet", contract)
    pd.testing.assert_frame_equal(read_table(tmp_path / "table.parquet", contract), empty)
    if not any(str(column.dtype) == "object" for column in contract.columns.values()):
        write_tsv(empty, tmp_path / "table.tsv", contract)
        pd.testing.assert_frame_equal(read_tsv(tmp_path / "table.tsv", contract), empty)


@pytest.mark.parametrize("suffix", ["tsv", "parquet"])
def test_text_that_looks_like_something_else_stays_text(tmp_path, suffix):
    write, read = (write_tsv, read_tsv) if suffix == "tsv" else (write_table, read_table)
    labels = pd.DataFrame({"panorama": NAMES, "x_px": 1.5, "y_px": 2.0, "label": "notch"})
    labels = labels.assign(annotator="", answers="notch||notch")
    write(labels, tmp_path / f"labels.{suffix}", LABELS)
    again = read(tmp_path / f"labels.{suffix}", LABELS)
    assert again["panorama"].tolist() == NAMES
    assert (again["annotator"] == "").all()
    assert again["x_px"].tolist() == [1.5] * len(NAMES)


def counted(**changes):
    row = {
        **{"panorama": "06", "settings": "grid", "combination": 3, "rule": "fixed"},
        **{"threshold": 20.0, "eps_px": 1.0, "min_samples": 3, "minimum_area_px": 0.0},
        **{"merge_distance_px": 10.0, "clusters": 96, "candidates": 86, "area_mm2": 0.01},
        "candidates_per_mm2": 8600.0,
    }
    return pd.DataFrame([row, row | changes])


def test_a_whole_number_may_be_missing_where_the_contract_says_so(tmp_path):
    missing = {"candidates": None, "candidates_per_mm2": None}
    write_tsv(counted(**missing), tmp_path / "counts.tsv", SENSITIVITY)
    assert (tmp_path / "counts.tsv").read_text().splitlines()[1].split("\t")[10] == "86"
    again = read_tsv(tmp_path / "counts.tsv", SENSITIVITY)
    assert str(again["candidates"].dtype) == "Int64"
    assert again["candidates"].isna().tolist() == [False, True]
    with pytest.raises(InputError, match=r"counts\.tsv: .*clusters"):
        write_tsv(counted(clusters=None), tmp_path / "counts.tsv", SENSITIVITY)


def test_a_table_with_a_wrong_cell_is_named_with_row_and_column(tmp_path):
    path = tmp_path / "counts.tsv"
    write_tsv(counted(), path, SENSITIVITY)
    path.write_text(path.read_text().replace("\t96\t", "\tmany\t"))
    with pytest.raises(InputError, match=r"counts\.tsv: .*column clusters: 'many'"):
        read_tsv(path, SENSITIVITY)
    path.write_text("panorama\tsettings\n06\tgrid\n")
    with pytest.raises(InputError, match=r"counts\.tsv: columns missing: combination"):
        read_tsv(path, SENSITIVITY)
    path.write_text("")
    with pytest.raises(InputError, match=r"counts\.tsv cannot be read as a table.*Delete it"):
        read_tsv(path, SENSITIVITY)


def test_a_column_that_not_every_training_has_may_be_absent(tmp_path):
    row = {"run": "refit", "epoch": 1, "loss": 0.5, "accuracy": 1.0, "seconds": 0.1}
    history = pd.DataFrame([row | {"validation_loss": None, "validation_accuracy": None}])
    write_tsv(history, tmp_path / "history.tsv", HISTORY)
    again = read_tsv(tmp_path / "history.tsv", HISTORY)
    assert "strength" not in again and "learning_rate" not in again
    assert again["validation_loss"].isna().all()


def test_a_fraction_may_pass_its_bounds_by_rounding_and_no_further():
    row = dict.fromkeys(DENSITIES.columns, 0.5) | {"panorama": "a", "class": "notch"}
    row |= {
        "not_estimated": "",
        "count": 1,
        "count_cut_off": 0,
        "labelled": 0,
        "blocks": 4,
        "block_note": "",
    }
    DENSITIES.validate(pd.DataFrame([row | {"share": 1 + 2e-16}]))
    with pytest.raises(pa.errors.SchemaError):
        DENSITIES.validate(pd.DataFrame([row | {"share": 1.001}]))


def test_a_class_stands_once_in_a_panorama():
    row = dict.fromkeys(DENSITIES.columns, 0.5) | {"panorama": "a", "class": "notch"}
    row |= {
        "not_estimated": "",
        "count": 1,
        "count_cut_off": 0,
        "labelled": 0,
        "blocks": 4,
        "block_note": "",
    }
    DENSITIES.validate(pd.DataFrame([row]))
    with pytest.raises(pa.errors.SchemaError):
        DENSITIES.validate(pd.DataFrame([row, row]))


def test_a_module_of_contracts_brings_no_other_product_along():
    for module in MODULES:
        tree = ast.parse((SCRIPTS / f"damascene/contracts/{module}.py").read_text())
        own = [one.module for one in ast.walk(tree) if isinstance(one, ast.ImportFrom)]
        rooms = {name.split(".")[1] for name in own if name.startswith("damascene.")}
        assert rooms <= {"classes", "contracts", "files", "problems", "text_files"}, module
    assert not ast.parse((SCRIPTS / "damascene/contracts/__init__.py").read_text()).body[1:]


def test_products_are_read_and_written_by_their_contracts_alone():
    """What users edit is read by text_tables; lists of public files are no products.

    The report writes tables anew for spreadsheets.
    """
    others = {"contracts/table.py", "classification/published.py"}
    others |= {"ledger/fetch.py", "report/bundle.py", "workshop/public_digits.py"}
    pattern = re.compile(r"\.(read_csv|read_table|read_parquet|to_csv|to_parquet)\(")
    found = {
        str(path.relative_to(SCRIPTS)).removeprefix("damascene/")
        for path in SCRIPTS.rglob("*.py")
        if pattern.search(path.read_text())
    }
    assert found == others


def test_the_parsing_of_the_workflow_loads_no_contracts():
    """Every job parses the workflow; checking tables takes a quarter of a second to load."""
    lines = [
        line
        for path in [ROOT / "workflow/Snakefile", *(ROOT / "workflow/rules").glob("*.smk")]
        for line in path.read_text().splitlines()
        if line.startswith("from damascene")
    ]
    assert lines
    program = "\n".join(["import sys", *lines, "sys.exit('pandera' in sys.modules)"])
    assert subprocess.run([sys.executable, "-c", program], cwd=SCRIPTS, check=False).returncode == 0


def test_a_table_under_the_name_of_another_panorama_is_not_counted_twice(tmp_path):
    row = {"site_id": 0, "clip_x_px": 1.0, "clip_y_px": 2.0, "group": "g"}
    for name in "ab":
        table = pd.DataFrame([{"panorama": name, **row}])
        write_table(table, tmp_path / f"{name}.parquet", UNLABELLED)
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    assert list(read_tables(paths, UNLABELLED)["panorama"]) == ["a", "b"]
    paths[0].write_bytes(paths[1].read_bytes())
    with pytest.raises(InputError, match=r"b\.parquet holds rows that another table has"):
        read_tables(paths, UNLABELLED)


def _dispersion_file(folder, flag="True", end="\n"):
    path = folder / "dispersion.tsv"
    cells = ["p", "all", "20.0", "20.0", "25", "3.0", "1.2", "0.3", flag]
    header = list(DISPERSION.columns)
    path.write_text("\t".join(header) + "\n" + "\t".join(cells) + end, encoding="utf-8")
    return path


@pytest.mark.parametrize("flag", ["WAHR", "FALSCH", "yes", "", "2"])
def test_a_word_of_another_program_is_no_yes(tmp_path, flag):
    with pytest.raises(InputError, match=r"row 2, column 'chosen'.*neither True nor False"):
        read_tsv(_dispersion_file(tmp_path, flag), DISPERSION)
    for word, meant in (("TRUE", True), ("FALSE", False), ("False", False)):
        assert read_tsv(_dispersion_file(tmp_path, word), DISPERSION)["chosen"].tolist() == [meant]


@pytest.mark.parametrize("left", [3, 9, 16])
def test_a_table_that_was_cut_off_is_refused(tmp_path, left):
    path = _dispersion_file(tmp_path)
    path.write_text(path.read_text()[:-left])
    with pytest.raises(InputError, match="ends within a row"):
        read_tsv(path, DISPERSION)
    path.write_text(path.read_text() + "\n")
    with pytest.raises(InputError):
        read_tsv(path, DISPERSION)
