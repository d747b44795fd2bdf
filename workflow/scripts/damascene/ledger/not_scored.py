"""Warnings about small pictures on which no network was scored."""

from collections.abc import Iterable
from pathlib import Path

from damascene.contracts.digit_scores import DIGIT_SCORES
from damascene.contracts.table import read_tsv
from damascene.problems import MARK


def not_scored_lines(paths: Iterable[str | Path]) -> list[str]:
    """Return a line that warns for each set of pictures without scores, with the reason.

    Parameters
    ----------
    paths : iterable of path
        Tables of `DIGIT_SCORES`, one a set; those that are not there are passed over.
    """
    lines = []
    for path in map(Path, paths):
        if path.exists():
            table = read_tsv(path, DIGIT_SCORES)
            missed = table[table["not_scored"] != ""].drop_duplicates(["dataset", "not_scored"])
            lines += [
                f"{MARK}No network was scored on {row.dataset}: {row.not_scored}"
                for row in missed.itertuples()
            ]
    return lines
