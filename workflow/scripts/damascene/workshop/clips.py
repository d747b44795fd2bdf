"""The labelled clips of a study, as the pages that learn from them see them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.clips.pictures import resample
from damascene.contracts.descriptors import DESCRIPTORS
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import empty_table, read_table

#: Edge of the clips on the pages: small enough to learn from within seconds.
CLIP_PX = 32

Files = Mapping[str, str | Path | Sequence[str | Path]]


def labelled_clips(files: Files, *, size_px: int = CLIP_PX) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the clips that people, or the truth of a simulation, named, with their classes.

    Parameters
    ----------
    files : mapping of str to path or list of paths
        `split`: `labels/split.parquet`; `clips`: `clips/damage.npy`, in the same order. Empty
        lists where the study has no labels.
    size_px : int, optional
        Edge of the clips that are returned; area averages of those of the file.

    Returns
    -------
    clips : numpy.ndarray, float32, shape (n, size_px, size_px)
        Grey values from 0 (black) to 1 (white), of the whole window round each site.
    table : pandas.DataFrame
        `SPLIT`, a row for each clip: `label` is the class, `group` what shares neighbourhood.
        Without labels both are empty.
    """
    if not has_labels(files):
        return np.zeros((0, size_px, size_px), np.float32), empty_table(SPLIT)
    # Mapped, as those of many sites are larger than what is kept of them.
    stored = np.load(files["clips"], mmap_mode="r")
    clips = np.empty((len(stored), size_px, size_px), np.float32)
    for index, clip in enumerate(stored):
        # The first scale is the window, the second its centre.
        clips[index] = resample(np.asarray(clip[np.newaxis, ..., 0]), size_px=size_px)[0]
    return clips / np.float32(255), read_table(files["split"], SPLIT)


def labelled_descriptors(files: Files, table: pd.DataFrame) -> pd.DataFrame:
    """Return what was measured of each labelled site, in the order of its clips.

    Parameters
    ----------
    files : mapping of str to path or list of paths
        `descriptors`: `labels/descriptors.parquet`; an empty list without labels.
    table : pandas.DataFrame
        From `labelled_clips`.

    Returns
    -------
    pandas.DataFrame
        A row for each row of `table`, a column (float32) for each descriptor.
    """
    if not has_labels(files):
        return pd.DataFrame(index=table.index)
    key = ["panorama", "site_id"]
    measured = read_table(files["descriptors"], DESCRIPTORS).set_index(key)
    return measured.loc[pd.MultiIndex.from_frame(table[key])].reset_index(drop=True)


def has_labels(files: Files) -> bool:
    """Say whether a study has labels to learn from."""
    return bool(files.get("split"))
