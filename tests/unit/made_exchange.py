"""Read label files of other tools as a study does."""

import json
from pathlib import Path

import pandas as pd

from damascene.config.label_source import LabelSource
from damascene.labels.read import read_answers
from damascene.labels.tiles import Tiles

SIZES = {"a": (100, 50), "b": (300, 200)}
#: Panorama b is a grid of six tiles.
TILES = {
    "b": Tiles(
        (f"im{column}{row}.jpg", (100 * column, 100 * row, 100, 100))
        for column in range(3)
        for row in range(2)
    )
}


def read(path: Path, **keys) -> pd.DataFrame:
    """Return the answers of a file."""
    return read_counted(path, **keys)[0]


def read_counted(path: Path, *, sizes=SIZES, tiles=TILES, **keys) -> tuple[pd.DataFrame, int]:
    """Return the answers of a file, and how many rows have none."""
    return read_answers(LabelSource(path=str(path), **keys), sizes_px=sizes, tiles=tiles)


def places(answers: pd.DataFrame) -> list[tuple]:
    """Return panorama, position and class of each answer."""
    return list(answers[["panorama", "x_px", "y_px", "answer"]].itertuples(index=False, name=None))


def write_json(path: Path, content) -> Path:
    """Write JSON as other tools do, in one line."""
    path.write_text(json.dumps(content))
    return path
