"""The page on the columns of all tables says what the contracts say."""

import importlib
import sys
from pathlib import Path

import pandera.pandas as pa

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import describe_tables  # noqa: E402

#: Tables that the user writes, that are shipped, or that no user looks at.
ELSEWHERE = {
    *("PANORAMAS", "LABELS", "GIVEN_ANSWERS", "REVIEW_LABELS"),
    *("SIMULATED_SITES", "UNLABELLED", "PUBLISHED"),
}


def test_the_page_is_in_sync():
    """`make sync` was run after the last change of a contract."""
    assert describe_tables.PAGE.read_text() == describe_tables.page()


def test_every_contract_is_on_the_page():
    contracts = set()
    for path in (ROOT / "workflow/scripts/damascene/contracts").glob("[!_]*.py"):
        module = importlib.import_module(f"damascene.contracts.{path.stem}")
        contracts |= {
            name
            for name, value in vars(module).items()
            if name.isupper() and isinstance(value, pa.DataFrameSchema)
        }
    shown = {place.split(".")[1] for place in describe_tables.TABLES.values()}
    assert shown == contracts - ELSEWHERE
