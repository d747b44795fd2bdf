"""What the page on learning without labels groups: sites if there are any, else pieces of image."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.clips.pictures import cut_clips
from damascene.clips.windows import window_px
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import read_table
from damascene.images.store import TiledImage
from damascene.workshop.clips import Files, has_labels, labelled_clips, labelled_descriptors

#: Edge of the clips.
EDGE_PX = 32
#: Candidates that are grouped at most: enough to see groups, few enough for seconds.
MOST_SITES = 600
# Fewer are no groups.
_LEAST_SITES = 30
_SHAPE = ("area_px", "equivalent_diameter_um", "aspect_ratio", "convexity", "mean_grey")


@dataclass(frozen=True, kw_only=True, eq=False)
class SiteClips:
    """Clips to be grouped.

    Attributes
    ----------
    kind : str
        What they show, in words.
    clips : numpy.ndarray, float32, shape (n, 32, 32)
        Grey values from 0 to 1.
    measures : pandas.DataFrame
        What was measured of each, a row for each clip, in units of its own for each column.
    classes : numpy.ndarray of str, shape (n,)
        The label of each; empty where it has none.
    """

    kind: str
    clips: np.ndarray
    measures: pd.DataFrame
    classes: np.ndarray

    @property
    def labelled(self) -> bool:
        """Whether groups can be compared with classes: at least two are among the labels."""
        return len(set(self.classes) - {""}) > 1


def examples_of(
    files: Files, image: np.ndarray, *, window: str, seed: int, least: int = _LEAST_SITES
) -> SiteClips:
    """Return labelled sites, else candidates, else pieces of the image.

    Parameters
    ----------
    files : mapping of str to path or list of paths
        `split`, `clips`, `descriptors` as in `clips.labelled_clips`; `candidates`, `image` and
        `valid`: table, image and mask of one panorama. Empty lists where the study has none.
    image : numpy.ndarray, uint8, shape (rows, columns)
        For pieces.
    window : str
        Window round a site that the networks see; clips show the middle half of it.
    seed : int
        For what is drawn by chance.
    least : int, optional
        Fewer labels or candidates are not grouped.

    Returns
    -------
    SiteClips
    """
    if has_labels(files):
        clips, table = labelled_clips(files, size_px=2 * EDGE_PX)
        if len(clips) >= least:
            middle = slice(EDGE_PX // 2, EDGE_PX // 2 + EDGE_PX)
            return SiteClips(
                kind="labelled sites",
                clips=clips[:, middle, middle],
                measures=labelled_descriptors(files, table).astype(float),
                classes=table["label"].to_numpy(str),
            )
    return _candidates(files, window=window, seed=seed, least=least) or _pieces(image, seed=seed)


def _candidates(files, *, window, seed, least):
    """Return candidates without labels, None if there are too few."""
    if not files.get("candidates"):
        return None
    sites = read_table(files["candidates"], CANDIDATES)
    with TiledImage(files["image"]) as image, TiledImage(files["valid"]) as valid:
        edge_px = max(window_px(window, pixel_size_nm=image.pixel_size_nm) // 2, 1)
        if len(sites) < least or edge_px > min(image.shape):
            return None
        chosen = np.random.default_rng(seed).permutation(len(sites))[:MOST_SITES]
        sites = sites.iloc[np.sort(chosen)].reset_index(drop=True)
        clips = cut_clips(
            image, sites["x_px"], sites["y_px"], window_px=edge_px, size_px=EDGE_PX, shown=valid
        )
    return SiteClips(
        kind="candidates without labels",
        clips=clips / np.float32(255),
        measures=sites[list(_SHAPE)].astype(float),
        classes=np.full(len(sites), ""),
    )


def _pieces(image, *, seed):
    """Return pieces of an image at random places."""
    rng = np.random.default_rng(seed)
    edge_px = min(EDGE_PX, *image.shape)
    count = min(400, max((image.size // edge_px**2) * 2, _LEAST_SITES))
    tops = rng.integers(image.shape[0] - edge_px + 1, size=count)
    lefts = rng.integers(image.shape[1] - edge_px + 1, size=count)
    clips = np.stack(
        [
            image[top : top + edge_px, left : left + edge_px]
            for top, left in zip(tops, lefts, strict=True)
        ]
    ).astype(float)
    steps = [np.abs(np.diff(clips, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2)]
    return SiteClips(
        kind="pieces of the image",
        clips=(clips / 255).astype(np.float32),
        measures=pd.DataFrame(
            {
                "mean_grey": clips.mean(axis=(1, 2)),
                "spread_grey": clips.std(axis=(1, 2)),
                "step_down": steps[0],
                "step_right": steps[1],
            }
        ),
        classes=np.full(count, ""),
    )
