"""Train a network that tells the phases of pixels."""

import contextlib
import dataclasses
import functools
import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.config.segmentation import Segmentation
from damascene.contracts.image_model_card import ImageModelCard, LearnedNoise
from damascene.files import written_whole
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import DEFAULT_TILE_PX, tile_windows
from damascene.learning.batches import Batches
from damascene.learning.descent import Descent, checkpoints_beside, descend
from damascene.learning.patch_augmentation import PATCH_CHANGES
from damascene.learning.patches import Patches, Scene, labelled_pixels
from damascene.learning.pixel_losses import IGNORED, PhaseLoss, pixel_accuracy
from damascene.networks.image_networks import (
    build_image_network,
    image_network_named,
    margins_of,
)
from damascene.networks.unet_lite0 import release_encoder
from damascene.segmentation.calibration import (
    calibrated,
    expected_calibration_error,
    fit_calibration,
)
from damascene.segmentation.parts import VALIDATION_FOLD, divided, folds_of_panoramas
from damascene.segmentation.scans import NOISE_GREYS, SCAN_CHANGES, scanned
from damascene.versions import NETWORK_PACKAGES, package_versions

logger = logging.getLogger(__name__)

PATCH_PX = 256
# Edges of patches are multiples of it, as the strides of the networks ask.
_MULTIPLE_PX = 32
_AT_ONCE = 16
_PATIENCE_PART = 0.5
_VALIDATION_PATCHES = 96
_WEIGHT_DECAY = 1e-4
# Pixels of validation patches that calibrate: every so many along both axes.
_CALIBRATION_STEP_PX = 4
# Of the epochs, with the pre-trained encoder as it is; then it learns in smaller steps.
_FROZEN_PART, _ENCODER_FACTOR = 0.15, 0.2
_WEIGHT_POWERS = {"natural": 0.0, "square_root": 0.5, "equal": 1.0}


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A panorama whose phases are known at some pixels.

    Attributes
    ----------
    image, valid, labels : path
        The image, the mask of its valid pixels, and its labelled phases: 0 where there are none.
    """

    image: str | Path
    valid: str | Path
    labels: str | Path


def lessons_of(
    panoramas: Sequence[str],
    images: Sequence[str],
    valid: Sequence[str],
    labels: Sequence[str],
) -> dict[str, Lesson]:
    """Return the lessons by panorama from the files of each, in the same order."""
    each = zip(panoramas, images, valid, labels, strict=True)
    return {
        name: Lesson(image=image, valid=mask, labels=phases) for name, image, mask, phases in each
    }


def train_segmentation(
    lessons: Mapping[str, Lesson],
    *,
    phases: Sequence[str],
    settings: Segmentation,
    test_fold: int | None = None,
    seed: int,
    fold_seed: int,
    model_path: str | Path,
    trained_on: str,
    device: str = "CPU",
) -> tuple[pd.DataFrame, ImageModelCard]:
    """Train a network on labelled panoramas, calibrate it, and write it.

    The labelled area is divided into folds, see `parts`: one decides when training stops and
    calibrates, one may be kept for a test, the others train. A training that was killed goes on
    after its last whole epoch.

    Parameters
    ----------
    lessons : mapping of str to Lesson
        By panorama.
    phases : sequence of str
        In the order of their numbers in label maps, from 1.
    settings : Segmentation
    test_fold : int, optional
        Fold that neither trains nor validates; none is kept without it.
    seed : int
        Of the weights and of the patches.
    fold_seed : int
        Of the division into folds.
    model_path : path of the network to write
        Checkpoints lie beside it until it is written.
    trained_on : str
        For the card: what was learned from.
    device : str, optional
        `GPU` or `CPU`, as `device.choose_device` returns it.

    Returns
    -------
    history : pandas.DataFrame
        `HISTORY`.
    card : ImageModelCard

    Raises
    ------
    InputError
        If a phase is missing from the part that trains, or nothing is left for validation.
    """
    started = time.perf_counter()
    model_path, lessons = Path(model_path), dict(lessons)
    with contextlib.ExitStack() as stack:
        opened = {
            name: tuple(
                stack.enter_context(TiledImage(path))
                for path in (lesson.image, lesson.valid, lesson.labels)
            )
            for name, lesson in lessons.items()
        }
        scenes, held = _scenes(opened, settings=settings, test_fold=test_fold, seed=fold_seed)
        counts = _counted(scenes, ~held, phases)
        _require_lessons(counts, _counted(scenes, held, phases), phases)
        patches = _patches(scenes, phases, settings=settings)
        train = patches.rows(np.flatnonzero(~held), count=settings.patches)
        validation = patches.rows(np.flatnonzero(held))
        picked = np.linspace(0, len(validation) - 1, _VALIDATION_PATCHES).round().astype(int)
        validation = validation[np.unique(picked)]
        data_sha256 = patches.sha256()
        options = {"outputs": len(phases), "widths": tuple(settings.widths)}
        model, history = _descended(
            patches,
            train,
            validation,
            loss=PhaseLoss(class_weights=_weights(counts, settings.class_weights)),
            settings=settings,
            options=options,
            seed=seed,
            key=[data_sha256, list(phases), settings.model_dump_json(), test_fold, seed],
            model_path=model_path,
            device=device,
        )
        temperature, scores = _calibrate(model, patches, validation, phases, seed=seed)
    # Without the state of the optimiser.
    stored = build_image_network(settings.network, seed=seed, **options)
    stored.set_weights(model.get_weights())
    with written_whole(model_path) as (part,):
        # Keras insists on the ending.
        whole = part.with_suffix(".keras")
        stored.save(whole)
        whole.replace(part)
    for path in model_path.parent.glob(f".{model_path.stem}.*.checkpoint.npz"):
        path.unlink()
    selected = history[history["run"] == "selection"]
    card = ImageModelCard(
        task="segmentation",
        method=settings.method,
        network=settings.network,
        network_options={"widths": tuple(settings.widths)},
        phases=tuple(phases),
        pixel_size_nm=_range([image.pixel_size_nm for image, _, _ in opened.values()]),
        noise=_learned_noise(settings),
        **margins_of(settings.network, stored)._asdict(),
        parameters=stored.count_params(),
        panoramas=tuple(lessons),
        data_sha256=data_sha256,
        settings={
            key: tuple(value) if isinstance(value, list) else value
            for key, value in settings.model_dump(exclude={"phases"}).items()
        },
        seed=seed,
        epochs_run=len(selected),
        best_epoch=int(selected["epoch"][selected["validation_loss"].idxmin()]),
        temperature=temperature,
        scores=scores,
        training_s=round(time.perf_counter() - started, 1),
        device=device,
        note=trained_on,
        versions=package_versions(*NETWORK_PACKAGES),
    )
    return history, card


def _scenes(opened, *, settings, test_fold, seed):
    """Return the windows that train or validate, and which of them validate."""
    panoramas = folds_of_panoramas(opened, folds=settings.folds, seed=seed)
    validation_fold = VALIDATION_FOLD if test_fold is None else (test_fold + 1) % settings.folds
    scenes, held = [], []
    for name, (image, valid, labels) in opened.items():
        for window, fold in divided(
            name, image.shape, folds=settings.folds, seed=seed, panoramas=panoramas
        ):
            if fold != test_fold:
                scenes.append(
                    Scene(image=image, target=labels, labels=True, valid=valid, window=window)
                )
                held.append(fold == validation_fold)
    return scenes, np.array(held)


def _patches(scenes, phases, *, settings):
    shortest = min(edge for scene in scenes for edge in scene.window.shape)
    damage = phases.index(settings.damage_phase) + 1 if settings.damage_phase else None
    as_scanned = settings.augmentation == "scans"
    changes = SCAN_CHANGES if as_scanned else PATCH_CHANGES[settings.augmentation]
    if settings.quarter_turns and changes is not None:
        changes = dataclasses.replace(changes, quarter_turns=True)
    return Patches(
        scenes,
        patch_px=min(PATCH_PX, shortest // _MULTIPLE_PX * _MULTIPLE_PX),
        prepare=functools.partial(_prepared, damage=damage, as_scanned=as_scanned),
        changes=changes,
        unlabelled=0,
    )


def _prepared(grey, labels, counts, rng, *, damage, as_scanned):
    """Return a patch as the network takes it, and the phases from 0 where they are known."""
    counts = counts & (labels > 0)
    if as_scanned and rng is not None:
        grey, covered = scanned(grey, labels == damage, rng)
        counts = counts & covered
    # 0 becomes the largest number, which does not count.
    return labelled_pixels(grey, labels - np.uint8(1), counts, rng)


def _counted(scenes, chosen, phases):
    """Return the labelled pixels of each phase in some of the scenes."""
    counts = np.zeros(256, np.int64)
    for number in np.flatnonzero(chosen):
        scene = scenes[number]
        for row in tile_windows(scene.window.shape, tile_px=DEFAULT_TILE_PX):
            for tile in row:
                window = Window(
                    top=scene.window.top + tile.top,
                    left=scene.window.left + tile.left,
                    bottom=scene.window.top + tile.bottom,
                    right=scene.window.left + tile.right,
                )
                known = scene.target.read(window)[scene.valid.read(window) > 0]
                counts += np.bincount(known, minlength=256)
    return counts[1 : len(phases) + 1]


def _require_lessons(counts, held_counts, phases):
    """Check that the part that trains has each phase, and the one that validates has some."""
    missing = [name for name, count in zip(phases, counts, strict=True) if not count]
    if missing:
        raise InputError(
            f"The part of the labels that trains has no pixel of {' and '.join(missing)}: all of "
            "them lie in the parts that are kept for validation and test. Label this phase at more "
            "places, or take it out of 'segmentation: phases'."
        )
    if not held_counts.any():
        raise InputError(
            "Training is stopped and calibrated by a part of the labels, and none of them is left "
            "for it. Label more places, or give fewer 'segmentation: folds'."
        )


def _weights(counts, kind):
    """Return the weights of phases in the loss, of mean 1 over the pixels."""
    shares = counts / counts.sum()
    weights = shares ** -_WEIGHT_POWERS[kind]
    return (weights / (weights * shares).sum()).tolist()


def _descended(
    patches, train, validation, *, loss, settings, options, seed, key, model_path, device
):
    """Train, at first with a pre-trained encoder as it is, and then all weights."""

    def batches(rows, validation_rows):
        common = {"read": patches.read, "batch_size": settings.batch_size}
        return (
            Batches(rows=rows, seed=seed, **common),
            Batches(rows=validation_rows, **common) if len(validation_rows) else None,
        )

    def run(build, *, epochs, name):
        return descend(
            build,
            batches,
            train=train,
            validation=validation,
            loss=loss,
            metrics=[pixel_accuracy],
            options=Descent(
                epochs=epochs,
                patience=max(math.ceil(_PATIENCE_PART * epochs), 3),
                learning_rate=settings.learning_rate,
                encoder_factor=_ENCODER_FACTOR,
                weight_decay=_WEIGHT_DECAY,
                mixed_precision=device == "GPU",
            ),
            checkpoints=checkpoints_beside(model_path.with_suffix(f".{name}.keras"), name, *key),
        )

    def fresh(_):
        return build_image_network(settings.network, seed=seed, **options)

    pretrained = image_network_named(settings.network).weights_loader is not None
    first = max(round(_FROZEN_PART * settings.epochs), 1) if pretrained else settings.epochs
    model, history = run(fresh, epochs=first, name="start")
    if pretrained and settings.epochs > first:
        known = model.get_weights()

        def released(_):
            whole = fresh(_)
            whole.set_weights(known)
            release_encoder(whole)
            return whole

        model, further = run(released, epochs=settings.epochs - first, name="release")
        further["epoch"] += len(history)
        history = pd.concat([history, further], ignore_index=True)
    names = {"pixel_accuracy": "accuracy", "validation_pixel_accuracy": "validation_accuracy"}
    return model, history.rename(columns=names)


def _calibrate(model, patches, validation, phases, *, seed):
    """Put temperature and offsets into the last layer; return the temperature, and scores."""
    # Changed as in training: there it must know how sure it may be.
    answers, labels = [], []
    for start in range(0, len(validation), _AT_ONCE):
        rows = validation[start : start + _AT_ONCE]
        images, truth = patches.read(rows, np.random.default_rng([seed, start + 1]))
        answer = model.predict_on_batch(images)
        step = slice(None, None, _CALIBRATION_STEP_PX)
        answers.append(answer[:, step, step].reshape(-1, len(phases)))
        labels.append(truth[:, step, step].reshape(-1))
    answers, labels = np.concatenate(answers), np.concatenate(labels).astype(int)
    answers, labels = answers[labels != IGNORED], labels[labels != IGNORED]
    # Every second one fits, the others judge.
    temperature, offsets = fit_calibration(answers[::2], labels[::2])
    after = calibrated(answers[1::2], temperature, offsets)
    last = model.get_layer("scores")
    kernel, bias = last.get_weights()
    last.set_weights([kernel / temperature, bias / temperature + offsets])
    chosen = after.argmax(axis=1)
    scores = {
        "calibration_error_before": expected_calibration_error(answers[1::2], labels[1::2]),
        "calibration_error_after": expected_calibration_error(after, labels[1::2]),
    }
    # A phase that is neither there nor answered has no score.
    ious = {
        f"iou_{name}": float((given & true).sum() / (given | true).sum())
        for number, name in enumerate(phases)
        for given, true in [(chosen == number, labels[1::2] == number)]
        if (given | true).any()
    }
    scores |= ious | {"mean_iou": float(np.mean(list(ious.values())))}
    logger.info("temperature %.3f, offsets %s, %s", temperature, offsets.round(3), scores)
    return temperature, {name: round(value, 4) for name, value in scores.items()}


def _learned_noise(settings):
    if settings.augmentation != "scans":
        return None
    return LearnedNoise(
        description="normal and Gamma noise, alike or growing with grey, with lines, along which "
        "it may be correlated",
        sigma_grey_levels=NOISE_GREYS,
    )


def _range(values):
    return min(values), max(values)
