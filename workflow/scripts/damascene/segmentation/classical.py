"""Learn a classical way to a phase map from all labels of a study, and apply it to a panorama."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.contracts.classical_phases import ClassicalPhases
from damascene.files import written_whole
from damascene.images.blocks import BLOCK_PX
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import tile_windows
from damascene.images.valid_area import VALID
from damascene.segmentation.multi_otsu import MultiOtsu, fit_multi_otsu, multi_otsu_map
from damascene.segmentation.pixel_forest import draw_pixels, forest_answers, grow_pixel_forest
from damascene.versions import NETWORK_PACKAGES, package_versions


def learn_classical_phases(
    names: Sequence[str],
    images: Sequence[str | Path],
    valid: Sequence[str | Path],
    labels: Sequence[str | Path],
    *,
    method: str,
    phases: Sequence[str],
    trained_on: str,
    seed: int,
    pixels_path: str | Path | None = None,
) -> ClassicalPhases:
    """Learn from all labelled panoramas of a study.

    Parameters
    ----------
    names, images, valid, labels : sequences
        Name and files of each panorama, in the same order.
    method : {"multi_otsu", "random_forest"}
    phases : sequence of str
        In the order of their numbers in the label maps, from 1.
    trained_on : str
        For readers of the maps.
    seed : int
    pixels_path : path, optional
        Where the pixels are written from which a forest grows.

    Raises
    ------
    InputError
        If no valid pixel has the label of a phase.
    """
    model, pixels = MultiOtsu(sigma_px=0, order=()), None
    with contextlib.ExitStack() as stack:
        opened = [
            tuple(stack.enter_context(TiledImage(path)) for path in paths)
            for paths in zip(images, valid, labels, strict=True)
        ]
        lessons = [(image, mask, _known(mask, known)) for image, mask, known in opened]
        if method == "multi_otsu":
            _require(missing_phases([(image, known) for image, _, known in lessons], phases))
            model = fit_multi_otsu(lessons, phase_count=len(phases))
        else:
            drawn = draw_pixels(
                [(image, known) for image, _, known in lessons], phase_count=len(phases), seed=seed
            )
            pixels = len(drawn[1])
            _require([name for number, name in enumerate(phases) if number not in drawn[1]])
            with written_whole(pixels_path) as (part,), part.open("wb") as file:
                np.savez_compressed(file, features=drawn[0], phases=drawn[1].astype(np.uint8))
        sizes = [image.pixel_size_nm for image, _, _ in opened]
    return ClassicalPhases(
        method=method,
        phases=tuple(phases),
        sigma_px=model.sigma_px or None,
        order=model.order,
        pixels=pixels,
        pixel_size_nm=(min(sizes), max(sizes)),
        panoramas=tuple(names),
        trained_on=trained_on,
        seed=seed,
        versions=package_versions(*NETWORK_PACKAGES),
    )


def missing_phases(
    panoramas: Sequence[tuple[TiledImage, Callable[[Window], np.ndarray]]], phases: Sequence[str]
) -> list[str]:
    """Return the phases that no pixel is labelled as.

    Parameters
    ----------
    panoramas : sequence of (image, labels)
        See `pixel_forest.draw_pixels`.
    phases : sequence of str
        In the order of their numbers, from 1.
    """
    found = np.zeros(len(phases) + 1, np.int64)
    for image, labels in panoramas:
        for window in itertools.chain(*tile_windows(image.shape, tile_px=BLOCK_PX)):
            found += np.bincount(labels(window).ravel(), minlength=len(found))
    return [name for name, pixels in zip(phases, found[1:], strict=True) if not pixels]


def classical_answers(
    image: TiledImage,
    valid: TiledImage,
    learned: ClassicalPhases,
    *,
    pixels_path: str | Path,
    threads: int = 1,
) -> Iterator[np.ndarray]:
    """Yield what was learned says of a panorama, as strips that `maps.write_map` takes.

    Parameters
    ----------
    image, valid : TiledImage
    learned : ClassicalPhases
    pixels_path : path of the pixels from which a forest grows
    threads : int, optional

    Yields
    ------
    numpy.ndarray
        Numbers of the phases from 1, uint8 (rows, width), or their probabilities, float32 (rows,
        width, phases).
    """
    if learned.method == "multi_otsu":
        model = MultiOtsu(sigma_px=learned.sigma_px, order=learned.order)
        return multi_otsu_map(image, valid, model, threads=threads)
    # Trees are grown anew in every job: quicker than they are kept safely in a file.
    with np.load(pixels_path) as stored:
        forest = grow_pixel_forest(
            stored["features"], stored["phases"].astype(int), seed=learned.seed
        )
    return forest_answers(
        forest.predict_proba,
        image,
        phase_count=len(learned.phases),
        wanted=lambda block: not valid.holds_only(block, 0),
        threads=threads,
    )


def _require(missing):
    if missing:
        raise InputError(
            f"No valid pixel is labelled as {' or '.join(missing)}, so that it cannot be learned. "
            "Label it within the valid area, or take it out of 'segmentation: phases'."
        )


def _known(valid, labels):
    return lambda window: np.where(valid.read(window) == VALID, labels.read(window), np.uint8(0))
