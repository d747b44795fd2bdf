"""Windows of panoramas from which a denoising network learns, kept in memory."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID
from damascene.learning.patches import Scene

# 256 windows are 64 megapixels: more than a training reads, and the same for any panorama.
WINDOW_PX = 512
_WINDOWS = 256
# A window with less that counts is left out; as many are tried for each that is wanted.
_LEAST_USABLE = 0.25
_TRIES = 4


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Paths of a panorama and its mask; of the scan to learn from, too, where there is one."""

    image: str | Path
    valid: str | Path
    target: str | Path | None = None
    target_valid: str | Path | None = None


def read_scenes(
    scans: Sequence[Scan], *, seed: int, windows: int = _WINDOWS, window_px: int = WINDOW_PX
) -> list[Scene]:
    """Read windows at random places of panoramas, more of larger ones.

    Parameters
    ----------
    scans : sequence of Scan
    seed : int
    windows : int, optional
    window_px : int, optional
        Edge of a window; smaller where a panorama is.

    Returns
    -------
    list of Scene
        Where a scan has no target, its image is the target.

    Raises
    ------
    InputError
        If no place has enough valid pixels.
    """
    shapes = []
    for scan in scans:
        with TiledImage(scan.image) as image:
            shapes.append(image.shape)
    areas = np.array([rows * columns for rows, columns in shapes], float)
    rng = np.random.default_rng(seed)
    owners = rng.choice(len(scans), windows * _TRIES, p=areas / areas.sum())
    edge = min(window_px, *(length for shape in shapes for length in shape))
    scenes = []
    for number, (scan, shape) in enumerate(zip(scans, shapes, strict=True)):
        places = rng.random((int((owners == number).sum()), 2))
        corners = (places * (np.array(shape) - edge + 1)).astype(int)
        found = (_scene(*parts) for parts in _windows(scan, corners, edge=edge))
        usable = (scene for scene in found if scene.valid.mean() >= _LEAST_USABLE)
        scenes += islice(usable, -(-len(places) // _TRIES))
    if not scenes:
        raise InputError(
            "A denoising network has nothing to learn from: hardly any part of the panoramas is "
            "valid in what it is given and in what it is to answer. Look at the masks in "
            "results/panoramas and, for pairs, at the covered fraction in results/paired."
        )
    return scenes


def _windows(scan, corners, *, edge):
    """Yield the same window of all files of a scan."""
    files = [scan.image, scan.valid, *filter(None, (scan.target, scan.target_valid))]
    with ExitStack() as stack:
        opened = [stack.enter_context(TiledImage(path)) for path in files]
        for top, left in corners:
            window = Window(top=top, left=left, bottom=top + edge, right=left + edge)
            yield [one.read(window) for one in opened]


def _scene(image, valid, target=None, target_valid=None):
    usable = valid == VALID
    if target is not None:
        usable &= target_valid == VALID
    return Scene(
        image=image,
        target=image if target is None else target,
        labels=False,
        valid=usable.astype(np.uint8),
    )
