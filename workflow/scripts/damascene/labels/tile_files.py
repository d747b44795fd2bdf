"""Labels of each tile of a panorama, for the tools that people label tiles with."""

from pathlib import Path

import pandas as pd

from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.exchange.export import write_tiles
from damascene.exchange.sites import sites_of
from damascene.labels.tiles import opened_tiles, placed_tiles


def write_tile_files(
    path: str | Path,
    *,
    sites: pd.DataFrame,
    runs: pd.DataFrame,
    labels: pd.DataFrame,
    record: PanoramaRecord,
    grid: tuple[str, str | None, dict],
    frames: str | Path | None,
) -> int:
    """Write an archive with files of labelImg for each tile of a panorama.

    Parameters
    ----------
    path : path of the archive
    sites, runs, labels : pandas.DataFrame
        `SITES` and `CANDIDATE_RUNS` of the panorama, and `LABELLED_SITES`.
    record : PanoramaRecord
    grid : (path, tile folder, options)
        Of a panorama that is made of tiles.
    frames : path, optional
        Table of frames of a stitched panorama.

    Returns
    -------
    int
        Number of tiles.
    """
    found = sites_of(
        record.panorama,
        sites,
        runs,
        labels,
        size_px=(record.width_px, record.height_px),
        separator=ANSWER_SEPARATOR,
    )
    tiles = placed_tiles(frames) if frames else opened_tiles(grid)
    write_tiles(found, tiles.places, path)
    return tiles.count
