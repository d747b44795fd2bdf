"""Test of ways to a phase map on labelled areas that they did not learn from."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.contracts.held_out_phases import CONFIDENCE_BINS
from damascene.files import written_whole
from damascene.images.store import TiledImage, Window
from damascene.images.valid_area import VALID
from damascene.segmentation.parts import divided, folds_of_panoramas

#: Edge of the largest part of a panorama that is kept to be looked at.
EXAMPLE_PX = 512


@dataclass(frozen=True, kw_only=True)
class LabelledPanorama:
    """A panorama with its labels, and the fold of each of its parts.

    Attributes
    ----------
    name : str
    image, valid, labels : TiledImage
        `labels` has 0 where nothing is known, else the number of the phase from 1.
    parts : sequence of (Window, int)
        Windows that together are the panorama, with their folds; see `parts.divided`.
    """

    name: str
    image: TiledImage
    valid: TiledImage
    labels: TiledImage
    parts: Sequence[tuple[Window, int]]

    def labels_in(self, folds: Iterable[int]) -> Callable[[Window], np.ndarray]:
        """Return a function that reads the labels of some folds in a window, 0 elsewhere."""
        chosen = [part for part, fold in self.parts if fold in set(folds)]

        def read(window):
            inside = np.zeros(window.shape, bool)
            for part in chosen:
                common = _common(part, window)
                if common is not None:
                    inside[common.slices(origin=window)] = True
            inside &= self.valid.read(window) == VALID
            return np.where(inside, self.labels.read(window), np.uint8(0))

        return read

    def group(self, part: Window) -> str:
        """Return the name of a part; one that is the whole panorama has the panorama's."""
        if len(self.parts) == 1:
            return self.name
        return f"{self.name}/{part.top}/{part.left}"


#: What a way to a phase map answers of a panorama: strips as `segmentation.maps.write_map` takes
#: them. The window function tells which blocks are asked for.
Answers = Callable[[LabelledPanorama, Callable[[Window], bool]], Iterator[np.ndarray]]


@contextlib.contextmanager
def open_labelled(
    names: Sequence[str],
    images: Sequence[str | Path],
    valid: Sequence[str | Path],
    labels: Sequence[str | Path],
    *,
    folds: int,
    fold_seed: int,
) -> Iterator[list[LabelledPanorama]]:
    """Open labelled panoramas, divided as for the training of networks.

    Parameters
    ----------
    names, images, valid, labels : sequences
        Name and files of each, in the same order.
    folds, fold_seed : int
        See `parts.divided`.
    """
    of_panoramas = folds_of_panoramas(names, folds=folds, seed=fold_seed)
    with contextlib.ExitStack() as stack:
        opened = []
        for name, *paths in zip(names, images, valid, labels, strict=True):
            files = [stack.enter_context(TiledImage(path)) for path in paths]
            parts = divided(
                name, files[0].shape, folds=folds, seed=fold_seed, panoramas=of_panoramas
            )
            opened.append(
                LabelledPanorama(
                    name=name, image=files[0], valid=files[1], labels=files[2], parts=parts
                )
            )
        yield opened


def count_held_out(
    answers: Answers,
    panoramas: Sequence[LabelledPanorama],
    *,
    fold: int,
    phases: Sequence[str],
    method: str,
) -> tuple[pd.DataFrame, dict, dict[str, np.ndarray]]:
    """Compare what was answered for a fold with its labels.

    Parameters
    ----------
    answers : callable
        See `Answers`.
    panoramas : sequence of LabelledPanorama
    fold : int
        The one that was held out.
    phases : sequence of str
    method : str

    Returns
    -------
    counts : pandas.DataFrame
        `HELD_OUT_PHASES`.
    costs : dict
        A row of `SEGMENTATION_COSTS` without the training.
    examples : dict of str to numpy.ndarray
        `NAME.image`, `NAME.labels` and `NAME.phases` of the middle of a held-out part of each
        panorama; also `NAME.pixel_size_nm`.
    """
    tables, examples = [], {}
    seconds = pixels = 0
    for panorama in panoramas:
        if fold not in [other for _, other in panorama.parts]:
            continue
        truth = panorama.labels_in([fold])
        window = _example_window(panorama, fold)
        shown = []
        counter = _Counter(panorama, fold, len(phases))
        started = time.perf_counter()
        top = 0
        for answer in answers(panorama, lambda block, truth=truth: bool(truth(block).any())):
            rows = Window(top=top, left=0, bottom=top + len(answer), right=panorama.image.shape[1])
            chosen, sure = _chosen(answer)
            counter.add(rows, truth(rows), chosen, sure)
            inside = slice(max(window.top - top, 0), max(window.bottom - top, 0))
            shown.append(chosen[inside, window.left : window.right])
            top = rows.bottom
        seconds += time.perf_counter() - started
        pixels += counter.pixels.sum()
        tables.append(counter.table(phases))
        examples |= {
            f"{panorama.name}.image": panorama.image.read(window),
            f"{panorama.name}.labels": truth(window),
            f"{panorama.name}.phases": np.concatenate(shown),
            f"{panorama.name}.pixel_size_nm": np.array(panorama.image.pixel_size_nm),
        }
    counts = pd.concat(tables).assign(method=method, fold=fold)
    costs = {"method": method, "fold": fold, "answering_s": seconds, "megapixels": pixels / 1e6}
    return counts, costs, examples


def write_examples(path: str | Path, examples: dict[str, np.ndarray]) -> None:
    """Write parts of maps to be looked at."""
    with written_whole(path) as (part,), Path(part).open("wb") as file:
        np.savez_compressed(file, **examples)


class _Counter:
    """Counts pixels of a panorama by part, true and assigned phase and range of probability."""

    def __init__(self, panorama, fold, phase_count):
        self.parts = [part for part, other in panorama.parts if other == fold]
        self.groups = np.array([panorama.group(part) for part in self.parts])
        shape = (len(self.parts), phase_count, phase_count, CONFIDENCE_BINS)
        self.pixels, self.sums = np.zeros(shape, np.int64), np.zeros(shape)

    def add(self, window, truth, chosen, sure):
        for number, part in enumerate(self.parts):
            common = _common(part, window)
            if common is None:
                continue
            here = common.slices(origin=window)
            known = (truth[here] > 0) & (chosen[here] > 0)
            confidence = sure[here][known]
            bins = np.minimum((confidence * CONFIDENCE_BINS).astype(int), CONFIDENCE_BINS - 1)
            places = (truth[here][known] - 1, chosen[here][known] - 1, bins)
            shape = self.pixels.shape[1:]
            flat, size = np.ravel_multi_index(places, shape), np.prod(shape)
            self.pixels[number] += np.bincount(flat, minlength=size).reshape(shape)
            weights = confidence.astype(np.float64)
            self.sums[number] += np.bincount(flat, weights, minlength=size).reshape(shape)

    def table(self, phases):
        group, true, assigned, bins = np.nonzero(self.pixels)
        phases = np.array(phases)
        sums = self.sums[group, true, assigned, bins]
        return pd.DataFrame(
            {
                "group": self.groups[group],
                "true_phase": phases[true],
                "assigned_phase": phases[assigned],
                "confidence_bin": bins,
                "pixels": self.pixels[group, true, assigned, bins],
                # A method without probabilities says 0 everywhere.
                "confidence": np.where(self.sums.any(), sums, np.nan),
            }
        )


def _chosen(answer):
    if answer.ndim == 2:
        return answer, np.zeros(answer.shape, np.float32)
    sure = answer.max(axis=-1)
    # Where nothing was asked for, every phase is as improbable.
    return np.where(sure > 0, answer.argmax(axis=-1) + 1, 0).astype(np.uint8), sure


def _example_window(panorama, fold):
    """Return the middle of the first part of a fold, cut to `EXAMPLE_PX`."""
    part = next(part for part, other in panorama.parts if other == fold)
    bounds = []
    for start, stop in ((part.top, part.bottom), (part.left, part.right)):
        first = start + max(stop - start - EXAMPLE_PX, 0) // 2
        bounds.append((first, min(first + EXAMPLE_PX, stop)))
    (top, bottom), (left, right) = bounds
    return Window(top=top, left=left, bottom=bottom, right=right)


def _common(one, other):
    """Return the window that two windows share, None where there is none."""
    common = Window(
        top=max(one.top, other.top),
        left=max(one.left, other.left),
        bottom=min(one.bottom, other.bottom),
        right=min(one.right, other.right),
    )
    return common if min(common.shape) > 0 else None
