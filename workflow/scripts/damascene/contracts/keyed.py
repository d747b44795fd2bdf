"""Tables of descriptors, whose rows are found by the panorama and the number of their site."""

from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.contracts.descriptors import DESCRIPTOR_NAMES, DESCRIPTORS
from damascene.contracts.table import read_table

KEY = ["panorama", "site_id"]


def with_keys(sites: pd.DataFrame, values: np.ndarray) -> pd.DataFrame:
    """Set descriptors beside the keys of their sites.

    Parameters
    ----------
    sites : pandas.DataFrame
        With `panorama` and `site_id`, n rows.
    values : numpy.ndarray, float32, shape (n, len(DESCRIPTOR_NAMES))
        In the row order of `sites`.

    Returns
    -------
    pandas.DataFrame
        The contract `DESCRIPTORS`.
    """
    keys = sites[KEY].reset_index(drop=True)
    return pd.concat([keys, pd.DataFrame(values, columns=list(DESCRIPTOR_NAMES))], axis=1)


def read_descriptors(path: str | Path, sites: pd.DataFrame) -> np.ndarray:
    """Read the descriptors of sites.

    Parameters
    ----------
    path : path of a table of descriptors
    sites : pandas.DataFrame
        With `panorama` and `site_id`, n rows in any order.

    Returns
    -------
    numpy.ndarray, float32, shape (n, len(DESCRIPTOR_NAMES))
        In the row order of `sites`.

    Raises
    ------
    InputError
        If a site is not in the table, or the table cannot be used.
    """
    return descriptors_of(sites, read_table(path, DESCRIPTORS), source=str(path))


def descriptors_of(sites: pd.DataFrame, table: pd.DataFrame, *, source: str) -> np.ndarray:
    """Find the descriptors of sites in a table, as `read_descriptors` does in a file."""
    places = pd.MultiIndex.from_frame(table[KEY]).get_indexer(pd.MultiIndex.from_frame(sites[KEY]))
    absent = sites[places < 0]
    if len(absent):
        first = absent.iloc[0]
        raise InputError(
            f"{source}: no descriptors of {len(absent)} of {len(sites)} sites, the first of them "
            f"site {first['site_id']} of panorama '{first['panorama']}'. Delete the file and run "
            "again."
        )
    values = table[list(DESCRIPTOR_NAMES)].to_numpy(np.float32)
    # Sums over rows depend on how the array lies in memory.
    return np.ascontiguousarray(values[places])
