"""Patches: what is read, that image and labels change alike, and that seeds decide on all."""

import numpy as np
import pytest

from damascene.images.store import TiledImage, Window, write_tiled
from damascene.learning.batches import Batches
from damascene.learning.patch_augmentation import (
    PATCH_CHANGES,
    PatchChanges,
    changed_grey,
    resized,
)
from damascene.learning.patches import (
    Patches,
    Scene,
    centred_grey,
    clean_greys,
    grey_of_centred,
    labelled_pixels,
)
from damascene.learning.pixel_losses import IGNORED

SHAPE = (150, 210)
#: Grey values that tell the label (in steps of 50), so that a pair that was torn apart is seen.
LABELS = np.random.default_rng(0).integers(0, 4, (15, 21), np.uint8).repeat(10, 0).repeat(10, 1)
GREY = 50 * LABELS + 20


def as_given(grey, target, counts, rng):
    return grey[..., np.newaxis], np.stack([target, counts], axis=-1)


def patches(*scenes, patch_px=32, prepare=as_given, **options):
    scenes = scenes or (Scene(image=GREY, target=LABELS, labels=True),)
    return Patches(scenes, patch_px=patch_px, prepare=prepare, **options)


def test_unchanged_patches_cover_the_scene():
    window = Window(top=10, left=20, bottom=109, right=200)
    seen = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    some = patches(Scene(image=seen, target=seen, labels=True, window=window))
    inputs, targets = some.read(some.rows([0]), None)
    assert inputs.shape == (4 * 6, 32, 32, 1)
    np.testing.assert_array_equal(inputs[..., 0], targets[..., 0])
    assert set(np.unique(inputs)) == set(seen[window.slices()].ravel())


@pytest.mark.parametrize(
    "changes",
    [
        PatchChanges(flips=True),
        PatchChanges(flips=False, quarter_turns=True),
        PatchChanges(flips=True, quarter_turns=True, zoom=0.4),
    ],
)
def test_labels_move_with_the_image(changes):
    some = patches(changes=changes)
    inputs, targets = some.read(some.rows([0], count=60), np.random.default_rng(1))
    wanted = 50 * targets[..., 0] + 20
    apart = np.abs(inputs[..., 0] - wanted)
    if not changes.zoom:
        assert (apart == 0).all()
    # Interpolated between two labels only at their borders, which one in five pixels touches.
    assert (apart == 0).mean() > 0.7
    plain, _ = patches().read(some.rows([0], count=60), np.random.default_rng(1))
    assert (plain != inputs).any()
    assert set(np.unique(targets[..., 0])) == {0, 1, 2, 3}


def test_grey_changes_leave_the_labels_alone():
    changes = PatchChanges(flips=False, gain=0.3, gamma=0.3, offset=20, blur=1, noise=10)
    inputs, targets = patches(changes=changes).read(np.arange(8), np.random.default_rng(2))
    same_inputs, same_targets = patches().read(np.arange(8), None)
    assert targets.shape == same_targets.shape
    assert (np.unique(targets[..., 0]) == np.unique(same_targets[..., 0])).all()
    assert inputs.min() >= 0
    assert inputs.max() <= 255
    assert np.abs(inputs - same_inputs).mean() > 1


def test_noise_and_blur_do_what_they_say():
    flat = np.full((200, 200), 128.0)
    widths = [
        changed_grey(flat, changes=PatchChanges(noise=10), rng=np.random.default_rng(seed)).std()
        for seed in range(200)
    ]
    # Uniform between 0 and 10; the mean of 200 lies within 3 x 2.9 / sqrt(200).
    assert max(widths) < 10.3
    assert np.mean(widths) == pytest.approx(5, abs=0.6)
    edge = np.repeat([[0.0, 200.0]], 100, axis=1).repeat(50, 0)
    steps = []
    for seed in range(20):
        soft = changed_grey(edge, changes=PatchChanges(blur=3), rng=np.random.default_rng(seed))
        assert soft.mean() == pytest.approx(100, abs=0.1)
        steps.append(np.abs(np.diff(soft)).max())
    # A filter of 3 pixels leaves 200 / (3 sqrt(2 pi)) of the step; weaker ones are drawn, too.
    assert 26 < min(steps) < 40
    assert max(steps) > 60


@pytest.mark.parametrize("edge", [32, 40, 27])
def test_resized_planes_stay_planes(edge):
    y, x = np.mgrid[:32, :32].astype(float)
    plane = resized(3 * y - 2 * x, edge, linear=True)
    step = 32 / edge
    np.testing.assert_allclose(np.diff(plane, axis=0)[2:-2], 3 * step, atol=1e-4)
    np.testing.assert_allclose(np.diff(plane, axis=1)[:, 2:-2], -2 * step, atol=1e-4)
    labels = resized(LABELS[:32, :32], edge, linear=False)
    assert labels.shape == (edge, edge)
    assert labels.dtype == np.uint8


def test_validity_is_respected():
    valid = np.zeros(SHAPE, np.uint8)
    valid[:, 100:] = 255
    some = patches(
        Scene(image=GREY, target=LABELS, labels=True, valid=valid), prepare=labelled_pixels
    )
    inputs, targets = some.read(some.rows([0]), None)
    # Squares that begin at 0, 32 and 64 hold nothing that is valid.
    assert len(inputs) == 5 * 4
    assert (targets[0, :, : 100 - 96] == IGNORED).all()
    assert (targets[0, :, 100 - 96 :] != IGNORED).all()
    _, drawn = some.read(some.rows([0], count=50), np.random.default_rng(0))
    assert (drawn == IGNORED).any()
    assert not (drawn == IGNORED).all(axis=(1, 2, 3)).all()


def test_patches_stay_within_their_part_of_the_scene():
    marked = np.full(SHAPE, 200, np.uint8)
    window = Window(top=40, left=64, bottom=120, right=160)
    marked[window.slices()] = 10
    some = patches(
        Scene(image=marked, target=LABELS, labels=True, window=window),
        changes=PatchChanges(quarter_turns=True, zoom=0.5),
    )
    inputs, _ = some.read(some.rows([0], count=200), np.random.default_rng(3))
    assert (inputs == 10).all()


def test_files_and_arrays_give_the_same(tmp_path):
    stored = []
    for name, pixels in (("grey", GREY), ("labels", LABELS)):
        path = tmp_path / f"{name}.ome.tif"
        write_tiled(path, [pixels], shape=SHAPE, pixel_size_nm=40, name=name, pyramid=False)
        stored.append(path)
    with TiledImage(stored[0]) as image, TiledImage(stored[1]) as target:
        files = patches(
            Scene(image=image, target=target, labels=True), changes=PATCH_CHANGES["mild"]
        )
        arrays = patches(changes=PATCH_CHANGES["mild"])
        rows = files.rows([0], count=20)
        for found, wanted in zip(
            files.read(rows, np.random.default_rng(5)),
            arrays.read(rows, np.random.default_rng(5)),
            strict=True,
        ):
            np.testing.assert_array_equal(found, wanted)
        assert files.sha256() == arrays.sha256()
    other = LABELS.copy()
    other[-1, -1] += 1
    assert patches(Scene(image=GREY, target=other, labels=True)).sha256() != arrays.sha256()


def test_batches_follow_from_seed_and_epoch():
    some = patches(changes=PATCH_CHANGES["strong"])

    def batch(epoch, seed=7):
        batches = Batches(read=some.read, rows=some.rows([0], count=24), batch_size=8, seed=seed)
        batches.start_epoch(epoch)
        return batches[1]

    np.testing.assert_array_equal(batch(3)[0], batch(3)[0])
    assert not np.array_equal(batch(3)[0], batch(4)[0])
    assert not np.array_equal(batch(3)[0], batch(3, seed=8)[0])


def test_rows_are_spread_over_scenes():
    small = Scene(image=GREY[:64, :64], target=LABELS[:64, :64], labels=True)
    some = patches(Scene(image=GREY, target=LABELS, labels=True), small)
    assert np.bincount(some.scene_of).tolist() == [35, 4]
    many = some.rows([0, 1], count=390)
    assert np.bincount(some.scene_of[many]).tolist() == [350, 40]
    few = some.rows([0, 1], count=13)
    assert len(set(few)) == 13
    assert some.rows([1]).tolist() == [35, 36, 37, 38]
    with pytest.raises(ValueError, match="smaller than a patch of 65"):
        patches(small, patch_px=65)


def test_targets_are_what_the_losses_take():
    grey, known = GREY[:4, :4].astype(np.float32), np.ones((4, 4), bool)
    known[0, 0] = False
    given, labels = labelled_pixels(grey, LABELS[:4, :4], known, None)
    np.testing.assert_array_equal(grey_of_centred(given[..., 0]), grey)
    assert labels[0, 0, 0] == IGNORED
    assert (labels.ravel()[1:] == LABELS[:4, :4].ravel()[1:]).all()
    _, clean = clean_greys(grey, grey + 1, known, None)
    np.testing.assert_allclose(clean[..., 0], centred_grey(grey + 1))
    np.testing.assert_array_equal(clean[..., 1], known)


def test_squares_without_labels_are_no_rows():
    labels = LABELS.copy()
    labels[:] = 0
    labels[40, 70] = 2
    some = patches(Scene(image=GREY, target=labels, labels=True), unlabelled=0)
    assert len(some.rows([0])) == 1
    assert some.read(some.rows([0], count=3), None)[1][..., 0].max(axis=(1, 2)).tolist() == [2] * 3
    # Where its only label is not valid, nothing is left.
    valid = np.ones(SHAPE, np.uint8)
    valid[40, 70] = 0
    hidden = Scene(image=GREY, target=labels, labels=True, valid=valid)
    assert not len(patches(hidden, unlabelled=0).rows([0]))
