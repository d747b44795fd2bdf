"""Patches of images with what a network is to answer there, drawn by seed."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from damascene.images.store import TiledImage, Window
from damascene.images.tiles import tile_windows
from damascene.learning.patch_augmentation import (
    PatchChanges,
    changed_grey,
    drawn_edge,
    flipped,
    resized,
)
from damascene.learning.pixel_losses import IGNORED

_CHUNK_ROWS = 512


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An image, or a part of one, with the answer to it.

    Attributes
    ----------
    image : TiledImage or numpy.ndarray
        Grey values, uint8 or float32, (rows, columns).
    target : TiledImage or numpy.ndarray
        Labels or grey values of the same size.
    labels : bool
        Whether the target holds labels, which must not be mixed.
    valid : TiledImage or numpy.ndarray, optional
        0 where image or target must not be used.
    window : Window, optional
        The part that is used; all of it without one.
    """

    image: TiledImage | np.ndarray
    target: TiledImage | np.ndarray
    labels: bool
    valid: TiledImage | np.ndarray | None = None
    window: Window | None = None


class Patches:
    """Squares of scenes for training and validation, as `batches.Batches` reads them.

    A row is a square of the grid that covers each scene. With a generator, a patch is drawn within
    half an edge around its row, and changed at random; without one it is the square itself.

    Parameters
    ----------
    scenes : sequence of Scene
    patch_px : int
        Edge of a patch; a multiple of the strides of the network. Scenes are at least as large.
    prepare : callable (grey, target, counts, rng) -> (input, target)
        Makes what the network is given and is to answer, (patch_px, patch_px, channels) each, from
        the changed grey values (float32 of 0 to 255), the target, and where both are known (bool).
        `rng` is None in validation. See `labelled_pixels` and `clean_greys`.
    changes : PatchChanges, optional
        Changes of training patches.
    unlabelled : int, optional
        Value of targets that says nothing: squares with nothing else are no rows.

    Attributes
    ----------
    scene_of : numpy.ndarray, int
        Number of the scene of each row.

    Raises
    ------
    ValueError
        If a scene is smaller than a patch.
    """

    def __init__(
        self,
        scenes: Sequence[Scene],
        *,
        patch_px: int,
        prepare: Callable,
        changes: PatchChanges | None = None,
        unlabelled: int | None = None,
    ):
        self._scenes, self._patch_px = list(scenes), patch_px
        self._prepare, self._changes = prepare, changes
        found = [
            (number, cell)
            for number, scene in enumerate(self._scenes)
            for cell in _cells(scene, patch_px, unlabelled)
        ]
        self.scene_of = np.array([number for number, _ in found], int)
        self._cells = [cell for _, cell in found]

    def rows(self, scenes: Sequence[int], *, count: int | None = None) -> np.ndarray:
        """Return the rows of some scenes, or so many of them, spread evenly.

        For an epoch of training `count` may be more than there are: rows are repeated then, and
        patches drawn anew each time.
        """
        rows = np.flatnonzero(np.isin(self.scene_of, scenes))
        if count is None or not len(rows):
            return rows
        return rows[np.arange(count) * len(rows) // count]

    def read(
        self, rows: np.ndarray, rng: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of some rows, float32 (n, patch_px, patch_px, channels)."""
        pairs = [self._read_one(int(row), rng) for row in rows]
        inputs, targets = (np.stack(each).astype(np.float32) for each in zip(*pairs, strict=True))
        return inputs, targets

    def sha256(self) -> str:
        """Return a hash of all grey values and targets that may be learned from."""
        digest = hashlib.sha256()
        for scene in self._scenes:
            window = _used(scene)
            for layer in (scene.image, scene.target, scene.valid):
                if layer is None:
                    continue
                for top in range(window.top, window.bottom, _CHUNK_ROWS):
                    part = Window(
                        top=top,
                        left=window.left,
                        bottom=min(top + _CHUNK_ROWS, window.bottom),
                        right=window.right,
                    )
                    digest.update(np.ascontiguousarray(_read(layer, part)).tobytes())
        return digest.hexdigest()

    def _read_one(self, row, rng):
        scene, cell = self._scenes[self.scene_of[row]], self._cells[row]
        if rng is not None:
            zoom = self._changes.zoom if self._changes else 0
            cell = _moved(cell, drawn_edge(self._patch_px, zoom=zoom, rng=rng), _used(scene), rng)
        grey, target = _read(scene.image, cell), _read(scene.target, cell)
        counts = np.ones(cell.shape, bool) if scene.valid is None else _read(scene.valid, cell) > 0
        grey = resized(grey, self._patch_px, linear=True)
        target = resized(target, self._patch_px, linear=not scene.labels)
        counts = resized(counts, self._patch_px, linear=False)
        if rng is not None and self._changes:
            grey, target, counts = flipped([grey, target, counts], changes=self._changes, rng=rng)
            grey = changed_grey(grey, changes=self._changes, rng=rng)
        return self._prepare(grey, target, counts, rng)


def centred_grey(grey: np.ndarray) -> np.ndarray:
    """Return grey values as image networks take them, float32: (grey value - 127) / 128."""
    return (np.asarray(grey, np.float32) - 127) / 128


def grey_of_centred(values: np.ndarray) -> np.ndarray:
    """Return the grey values, as float, of values that `centred_grey` returned."""
    return values * 128 + 127


def labelled_pixels(
    grey: np.ndarray, labels: np.ndarray, counts: np.ndarray, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Prepare a patch for `pixel_losses.PhaseLoss`; labels count from 0, `IGNORED` do not."""
    known = np.where(counts, labels, IGNORED)
    return centred_grey(grey)[..., np.newaxis], known[..., np.newaxis]


def clean_greys(
    grey: np.ndarray, clean: np.ndarray, counts: np.ndarray, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Prepare a patch for `pixel_losses.GreyLoss`: centred greys, and what counts, as channels."""
    target = np.stack([centred_grey(clean), counts.astype(np.float32)], axis=-1)
    return centred_grey(grey)[..., np.newaxis], target


def _used(scene):
    rows, columns = scene.image.shape[:2]
    return scene.window or Window(top=0, left=0, bottom=rows, right=columns)


def _read(layer, window):
    return layer.read(window) if isinstance(layer, TiledImage) else layer[window.slices()]


def _cells(scene, patch_px, unlabelled):
    """Return squares that cover a scene; at its far borders they overlap. Unknown ones are left."""
    used = _used(scene)
    if min(used.shape) < patch_px:
        raise ValueError(f"a scene of {used.shape} pixels is smaller than a patch of {patch_px}")
    cells = []
    for row in tile_windows(used.shape, tile_px=patch_px):
        for tile in row:
            top = used.top + min(tile.top, used.shape[0] - patch_px)
            left = used.left + min(tile.left, used.shape[1] - patch_px)
            cell = Window(top=top, left=left, bottom=top + patch_px, right=left + patch_px)
            if _tells(scene, cell, unlabelled):
                cells.append(cell)
    return cells


def _tells(scene, cell, unlabelled):
    """Say whether anything in a square may be learned from."""
    counts = np.ones(cell.shape, bool) if scene.valid is None else _read(scene.valid, cell) > 0
    if unlabelled is not None and counts.any():
        counts = counts & (_read(scene.target, cell) != unlabelled)
    return counts.any()


def _moved(cell, edge, used, rng):
    """Return a square of an edge whose middle is drawn around that of a cell."""
    edge = min(edge, *used.shape)
    size = cell.bottom - cell.top
    starts = []
    for first, low, high in (
        (cell.top, used.top, used.bottom),
        (cell.left, used.left, used.right),
    ):
        start = first + (size - edge) // 2 + int(rng.integers(-(size // 2), size // 2 + 1))
        starts.append(min(max(start, low), high - edge))
    top, left = starts
    return Window(top=top, left=left, bottom=top + edge, right=left + edge)
