"""Parts of the labelled area: what a network learns from, and what tests it, share no pixel."""

import itertools
from collections.abc import Iterable, Mapping

import numpy as np

from damascene import InputError
from damascene.images.store import Window
from damascene.seeds import derive_seed

#: What the seed of the division is derived for, and the fold that decides when training stops.
FOLDS_PURPOSE = "phase parts"
VALIDATION_FOLD = 0
#: Edge of the blocks that are dealt out where there are fewer panoramas than folds.
LARGEST_BLOCK_PX = 512
LEAST_BLOCK_PX = 64
# Blocks a fold in the smallest panorama, so that every fold gets some of every place.
_BLOCKS_A_FOLD = 4


def folds_of_panoramas(names: Iterable[str], *, folds: int, seed: int) -> dict[str, int] | None:
    """Return the fold of each labelled panorama, None where there are fewer than folds.

    Parameters
    ----------
    names : iterable of str
    folds : int
    seed : int
        Of the order in which panoramas are dealt out.
    """
    names = sorted(names)
    if len(names) < folds:
        return None
    order = np.random.default_rng(seed).permutation(len(names))
    return {names[index]: place % folds for place, index in enumerate(order)}


def divided(
    panorama: str,
    shape: tuple[int, int],
    *,
    folds: int,
    seed: int,
    panoramas: Mapping[str, int] | None,
) -> list[tuple[Window, int]]:
    """Divide a labelled panorama into windows, each of one fold.

    Parameters
    ----------
    panorama : str
    shape : tuple of int
        Rows and columns.
    folds, seed : int
        As for `folds_of_panoramas`.
    panoramas : mapping of str to int, or None
        From `folds_of_panoramas`: the panorama is one window. Without it, blocks of the panorama
        of about one size are dealt out.

    Raises
    ------
    InputError
        If the panorama is too small to be divided.
    """
    if panoramas is not None:
        whole = Window(top=0, left=0, bottom=shape[0], right=shape[1])
        return [(whole, panoramas[panorama])]
    block_px = LARGEST_BLOCK_PX
    while _count(shape, block_px) < _BLOCKS_A_FOLD * folds and block_px > LEAST_BLOCK_PX:
        block_px //= 2
    rows, columns = (_cuts(length, block_px) for length in shape)
    windows = [
        Window(top=top, left=left, bottom=bottom, right=right)
        for top, bottom in rows
        for left, right in columns
    ]
    if len(windows) < folds:
        raise InputError(
            f"The labelled panorama '{panorama}' of {shape[1]} x {shape[0]} px has only "
            f"{len(windows)} blocks of {block_px} px, fewer than 'segmentation: folds' ({folds}). "
            "Give fewer folds, or label more."
        )
    order = np.random.default_rng(derive_seed(seed, panorama)).permutation(len(windows))
    return [(windows[index], place % folds) for place, index in enumerate(order)]


def _count(shape, block_px):
    return len(_cuts(shape[0], block_px)) * len(_cuts(shape[1], block_px))


def _cuts(length, block_px):
    """Return starts and stops of parts of about one length, none of them shorter than a block."""
    edges = np.linspace(0, length, max(length // block_px, 1) + 1).round().astype(int).tolist()
    return list(itertools.pairwise(edges))
