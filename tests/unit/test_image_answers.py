"""Answers of image networks all over a panorama: one answer, however the work is divided."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from damascene.images.blocks import BLOCK_PX, block_rows, mixed_blocks, read_mirrored
from damascene.images.store import TiledImage, Window, write_tiled
from damascene.learning import descent
from damascene.learning.batches import Batches
from damascene.learning.descent import Descent, checkpoints_beside, descend
from damascene.learning.image_answers import answer_blocks
from damascene.learning.patch_augmentation import PATCH_CHANGES
from damascene.learning.patches import Patches, Scene, centred_grey, labelled_pixels
from damascene.learning.pixel_losses import PhaseLoss, pixel_accuracy
from damascene.networks.image_networks import build_image_network, margins_of

SHAPE = (600, 560)
SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
#: A job with some threads: prints how TensorFlow divides them, and a hash of the answers.
JOB = """
import hashlib, sys
from damascene.learning.device import choose_device
threads = int(sys.argv[2])
choose_device(gpu=0, threads=threads, blocks_at_once=threads)
import numpy as np, tensorflow as tf
from damascene.images.store import TiledImage
from damascene.learning.image_answers import answer_blocks
from damascene.learning.patches import centred_grey
from damascene.networks.image_networks import build_image_network, margins_of
model = build_image_network("unet", seed=1, outputs=3, widths=(8, 12, 16))
halo_px, overlap_px = margins_of("unet", model)
options = {"prepare": centred_grey, "halo_px": halo_px, "threads": threads}
digest = hashlib.sha256()
with TiledImage(sys.argv[1]) as image:
    for strip in answer_blocks(model, image, **options):
        digest.update(np.ascontiguousarray(strip).tobytes())
threading = tf.config.threading
print(threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads())
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    pixels = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    path = tmp_path_factory.mktemp("answers") / "a.ome.tif"
    write_tiled(path, [pixels], shape=SHAPE, pixel_size_nm=40, name="P1")
    with TiledImage(path) as stored:
        yield stored


@pytest.fixture(scope="module")
def model():
    return build_image_network("unet", seed=1, outputs=3, widths=(8, 12, 16))


def answers(image, model, **options):
    halo_px, overlap_px = margins_of("unet", model)
    options = {"halo_px": halo_px, "overlap_px": overlap_px} | options
    return np.concatenate(list(answer_blocks(model, image, prepare=centred_grey, **options)))


def test_blocks_give_the_answer_of_the_whole_panorama(image, model):
    halo_px, _ = margins_of("unet", model)
    # Mirrored by numpy, to edges that are multiples of the strides.
    down, right = (halo_px + -length % 8 for length in SHAPE)
    whole = np.pad(image.read(), ((halo_px, down), (halo_px, right)), mode="reflect")
    oracle = model(centred_grey(whole)[np.newaxis, ..., np.newaxis]).numpy()[0]
    oracle = oracle[halo_px:-down, halo_px:-right]
    found = answers(image, model)
    assert found.dtype == np.float32
    # Normalisations are folded into convolutions, which rounds single precision elsewhere.
    np.testing.assert_allclose(found, oracle, atol=2e-6)


def test_neither_threads_nor_blocks_change_the_answer(image, model):
    found = answers(image, model)
    np.testing.assert_array_equal(answers(image, model, threads=2), found)
    # Sums in a block of another size may be rounded elsewhere: never by a grey level or a class.
    np.testing.assert_allclose(answers(image, model, block_px=256), found, atol=1e-6)


def test_jobs_of_any_number_of_threads_give_the_same_bytes(image):
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", JOB, image.path, str(threads)],
            cwd=SCRIPTS,
            stdout=subprocess.PIPE,
            text=True,
        )
        for threads in (1, 2)
    ]
    (one, digest), (two, same) = (job.communicate()[0].splitlines() for job in jobs)
    assert (one, two) == ("1 1", "1 2")
    assert digest == same


def test_blocks_without_a_valid_pixel_are_left_out(image, model, tmp_path):
    mask = np.zeros(SHAPE, np.uint8)
    mask[:300, 530:] = 255
    write_tiled(tmp_path / "v.tif", [mask], shape=SHAPE, pixel_size_nm=40, name="v", pyramid=False)
    with TiledImage(tmp_path / "v.tif") as valid:
        some = answers(image, model, wanted=lambda block: not valid.holds_only(block, 0))
    np.testing.assert_array_equal(some[:512, 512:], answers(image, model)[:512, 512:])
    assert (some[512:] == 0).all()
    assert (some[:, :512] == 0).all()


def test_a_halo_too_small_shows(image, model):
    assert np.abs(answers(image, model, halo_px=8) - answers(image, model)).max() > 1e-4


@pytest.mark.parametrize("overlap_px", [0, 24])
def test_strips_join_to_the_whole(image, model, overlap_px):
    whole = answers(image, model, overlap_px=overlap_px)
    strips = []
    for number in range(2):
        rows = block_rows(SHAPE[0], strip=(number, 2), overlap_px=overlap_px)
        strips.append(answers(image, model, overlap_px=overlap_px, strip=(number, 2)))
        assert len(strips[-1]) == sum(rows)
    np.testing.assert_array_equal(np.concatenate(strips), whole)


def test_answers_that_see_far_are_mixed_without_seams(image):
    model = build_image_network("unet_lite0", seed=1, outputs=2, widths=(8, 8))
    halo_px, overlap_px = margins_of("unet_lite0", model)
    found = answers(image, model, halo_px=halo_px, overlap_px=overlap_px)
    assert found.shape == (*SHAPE, 2)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)
    steps = np.abs(np.diff(found[..., 0], axis=0)).mean(axis=1)
    # A seam would stand out of the spread of the steps between all rows.
    cuts = [BLOCK_PX + offset - 1 for offset in (-overlap_px, 0, overlap_px)]
    assert steps[cuts].max() <= np.percentile(steps, 99)


@pytest.mark.parametrize("shape", [(1, 1), (3, 700), (40, 50)])
def test_small_panoramas_are_no_exception(tmp_path, model, shape):
    pixels = np.full(shape, 90, np.uint8)
    path = tmp_path / "a.ome.tif"
    write_tiled(path, [pixels], shape=shape, pixel_size_nm=40, name="P1")
    with TiledImage(path) as small:
        found = answers(small, model)
    assert found.shape == (*shape, 3)
    # A mirrored plane is a plane, whose answers differ by the strides alone.
    plane = model(np.full((1, 160, 160, 1), centred_grey(90))).numpy()[0]
    rows, columns = (80 + np.arange(length) % 8 for length in shape)
    np.testing.assert_allclose(found, plane[np.ix_(rows, columns)], atol=1e-6)


@pytest.mark.parametrize(
    ("top", "left", "bottom", "right"),
    [(0, 0, 50, 60), (-40, -30, 30, 90), (550, 500, 680, 640), (-1500, -800, 900, 20)],
)
def test_mirrored_windows_are_those_of_numpy(image, top, left, bottom, right):
    margin = 1600
    oracle = np.pad(image.read(), margin, mode="reflect")
    window = Window(top=top, left=left, bottom=bottom, right=right)
    np.testing.assert_array_equal(
        read_mirrored(image, window),
        oracle[top + margin : bottom + margin, left + margin : right + margin],
    )


@pytest.mark.parametrize("overlap_px", [0, 5])
def test_blocks_of_several_channels_join_to_the_image(overlap_px):
    values = np.random.default_rng(1).normal(size=(130, 75, 3)).astype(np.float32)
    strips = mixed_blocks(
        lambda window: values[window.slices()],
        values.shape[:2],
        channels=3,
        block_px=32,
        overlap_px=overlap_px,
        threads=2,
    )
    np.testing.assert_allclose(np.concatenate(list(strips)), values, atol=1e-6)


def trained(folder, patches):
    folder.mkdir(exist_ok=True)
    return descend(
        lambda rows: build_image_network("unet", seed=2, outputs=2, widths=(4, 4), dropout=0.2),
        lambda train, unseen: (
            Batches(read=patches.read, rows=train, batch_size=8, seed=1),
            Batches(read=patches.read, rows=unseen, batch_size=8),
        ),
        train=patches.rows([0], count=24),
        validation=patches.rows([1]),
        loss=PhaseLoss(class_weights=(1, 1)),
        metrics=[pixel_accuracy],
        options=Descent(epochs=3, patience=3, learning_rate=0.01),
        checkpoints=checkpoints_beside(folder / "m.keras", patches.sha256()),
    )


class Killed(descent.Progress):
    """Ends the process, as far as a test can, after two epochs were written."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt


def test_a_training_on_patches_that_was_killed_ends_with_the_same_weights(tmp_path, monkeypatch):
    labels = np.random.default_rng(0).integers(0, 2, (12, 12), np.uint8).repeat(8, 0).repeat(8, 1)
    grey = 60 + 100 * labels
    halves = [(slice(None), slice(64)), (slice(None), slice(64, None))]
    patches = Patches(
        [Scene(image=grey[half], target=labels[half], labels=True) for half in halves],
        patch_px=32,
        prepare=labelled_pixels,
        changes=PATCH_CHANGES["mild"],
    )
    whole, history = trained(tmp_path / "whole", patches)
    assert history["pixel_accuracy"].between(0, 1).all()
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    with monkeypatch.context() as patched:
        patched.setattr(descent, "Progress", Killed)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "killed", patches)
    resumed, again = trained(tmp_path / "killed", patches)
    compared = ["epoch", "loss", "validation_loss", "pixel_accuracy"]
    pd.testing.assert_frame_equal(again[compared], history[compared])
    for found, wanted in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
