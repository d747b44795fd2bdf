"""What can be told of a second scan before work starts."""

from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.images.pairing.sources import open_second_scan
from damascene.images.source_files import checksum
from damascene.problems import at
from damascene.study.sheet import image_options, row_of


def check_pair(
    name: str,
    row: pd.Series,
    study: Study,
    *,
    size_px: tuple[int, int],
    pixel_size_nm: float,
    bars: dict[str, list],
) -> None:
    """Check that the second scan of a panorama can be one, from its headers.

    Parameters
    ----------
    name : str
    row : pandas.Series
        Of the sample sheet.
    study : Study
    size_px : (int, int)
        Columns and rows of the panorama.
    pixel_size_nm : float
        Of the panorama.
    bars : dict
        See `images.found_bars`.

    Raises
    ------
    InputError
        As `open_second_scan`, and if its file holds the same as that of the panorama; naming the
        cell.
    """
    scan = row["paired_scan"]
    if scan in ("", SIMULATED):
        return
    with at(f"{study.panoramas}, row {row_of(name, Path(study.panoramas))}, column 'paired_scan'"):
        paths = [Path(study.data_folder) / each for each in (row["path"], scan)]
        open_second_scan(
            paths[1],
            size_px=size_px,
            pixel_size_nm=pixel_size_nm,
            overrides=row["pixel_size_overrides_header"],
            bars=bars,
            **image_options(row),
        )
        if _hold_the_same(*paths):
            raise InputError(
                f"{paths[1]} holds the same as {paths[0]}, whose noise is then no second noise. "
                "Name another scan of the same place, or leave the cell empty."
            )


def _hold_the_same(one, other):
    if one.stat().st_size != other.stat().st_size:
        return False
    return one.samefile(other) or checksum(one) == checksum(other)
