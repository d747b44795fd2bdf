"""Methods are tested on the labels that they did not learn from, and on no other."""

import itertools

import numpy as np
import pytest
from made_panoramas import write_pair
from scipy import ndimage
from sklearn import metrics

from damascene import InputError
from damascene.contracts.held_out_phases import HELD_OUT_PHASES
from damascene.contracts.table import check_table
from damascene.evaluation import phase_networks
from damascene.evaluation.phase_rivals import learn_rival
from damascene.evaluation.phase_tests import LabelledPanorama, count_held_out, write_examples
from damascene.images.store import TiledImage, Window, write_tiled

PHASES = ("matrix", "network", "spheroidite", "lath")
GREYS = np.array([90, 50, 140, 220])
SHAPE = (200, 300)


def made_steel(rng):
    """Return a grey image and its labels: nested zones of four phases with noise."""
    field = ndimage.gaussian_filter(rng.normal(size=SHAPE), 10)
    labels = np.digitize(field, np.quantile(field, [0.3, 0.5, 0.9])).astype(np.uint8) + 1
    image = GREYS[labels - 1] + rng.normal(0, 10, SHAPE)
    return image.clip(0, 255).astype(np.uint8), labels


@pytest.fixture(scope="module")
def steel(tmp_path_factory):
    """Return three labelled panoramas as files, each with a fold of its own."""
    rng = np.random.default_rng(0)
    made, open_files = [], []
    for number in range(3):
        image, labels = made_steel(rng)
        valid = np.ones(SHAPE, bool)
        valid[:30] = False
        # Nobody labelled this corner.
        labels[100:140, 200:] = 0
        folder = tmp_path_factory.mktemp(f"p{number}")
        paths = [*write_pair(folder, image, valid), folder / "labels.ome.tif"]
        options = {"shape": SHAPE, "pixel_size_nm": 40, "name": "labels", "pyramid": False}
        write_tiled(paths[2], [labels], **options)
        files = [TiledImage(path) for path in paths]
        open_files += files
        made.append(
            LabelledPanorama(
                name=f"p{number}",
                image=files[0],
                valid=files[1],
                labels=files[2],
                parts=[(Window(top=0, left=0, bottom=SHAPE[0], right=SHAPE[1]), number)],
            )
        )
    yield made
    for file in open_files:
        file.close()


@pytest.mark.parametrize("method", ["multi_otsu", "random_forest"])
def test_a_fold_is_judged_by_what_learned_from_the_others(steel, method):
    answers = learn_rival(method, steel, folds=[0, 1], phases=PHASES, seed=0)
    counts, costs, examples = count_held_out(answers, steel, fold=2, phases=PHASES, method=method)
    counts = check_table(counts, HELD_OUT_PHASES, source="made")
    assert set(counts["group"]) == {"p2"} and set(counts["method"]) == {method}
    assert costs["megapixels"] == pytest.approx((SHAPE[0] * SHAPE[1] - 9000 - 4000) / 1e6)
    # The same counts from the map itself.
    strips = list(answers(steel[2], lambda window: True))
    answer = np.concatenate(strips)
    assigned = answer if answer.ndim == 2 else answer.argmax(axis=-1) + 1
    truth = steel[2].labels.read()
    truth[:30] = 0
    expected = metrics.confusion_matrix(truth[truth > 0], assigned[truth > 0])
    found = counts.groupby(["true_phase", "assigned_phase"])["pixels"].sum()
    for (row, true), (column, other) in itertools.product(enumerate(PHASES), repeat=2):
        assert found.get((true, other), 0) == expected[row, column]
    # Noise of 10 levels between greys 40 and more apart.
    assert np.trace(expected) / expected.sum() > 0.75
    if method == "random_forest":
        sure = answer.max(axis=-1)[truth > 0].sum()
        assert counts["confidence"].sum() == pytest.approx(sure, rel=1e-5)
    else:
        assert counts["confidence"].isna().all()
    np.testing.assert_array_equal(examples["p2.image"], steel[2].image.read())
    np.testing.assert_array_equal(examples["p2.labels"], truth)
    np.testing.assert_array_equal(examples["p2.phases"], assigned)


def test_nothing_is_learned_from_the_fold_that_tests(steel, tmp_path):
    """Other labels in the tested fold change no answer."""
    rng = np.random.default_rng(5)
    path = tmp_path / "labels.ome.tif"
    strange = rng.integers(1, 5, SHAPE).astype(np.uint8)
    write_tiled(path, [strange], shape=SHAPE, pixel_size_nm=40, name="labels", pyramid=False)
    with TiledImage(path) as labels:
        changed = [*steel[:2], LabelledPanorama(**{**vars(steel[2]), "labels": labels})]
        for method in ("multi_otsu", "random_forest"):
            maps = [
                np.concatenate(
                    list(
                        learn_rival(method, each, folds=[0, 1], phases=PHASES, seed=0)(
                            steel[2], lambda window: True
                        )
                    )
                )
                for each in (steel, changed)
            ]
            np.testing.assert_array_equal(*maps)


def test_parts_of_one_panorama_are_groups_and_only_held_out_ones_count(steel):
    cuts = itertools.pairwise([0, 120, 200]), list(itertools.pairwise([0, 100, 200, 300]))
    windows = [
        Window(top=top, left=left, bottom=bottom, right=right)
        for (top, bottom), (left, right) in itertools.product(*cuts)
    ]
    parts = list(zip(windows, (0, 1, 0, 1, 0, 1), strict=True))
    divided = LabelledPanorama(**{**vars(steel[0]), "parts": parts})
    perfect = divided.labels.read()

    def answers(panorama, wanted):
        assert wanted(Window(top=128, left=0, bottom=200, right=128))
        assert not wanted(Window(top=128, left=110, bottom=200, right=190))
        yield perfect[:90]
        yield perfect[90:]

    counts, _, examples = count_held_out(answers, [divided], fold=1, phases=PHASES, method="a")
    assert set(counts["group"]) == {"p0/0/100", "p0/120/0", "p0/120/200"}
    inside = np.zeros(SHAPE, bool)
    inside[30:120, 100:200] = inside[120:, :100] = inside[120:, 200:] = True
    assert counts["pixels"].sum() == (inside & (perfect > 0)).sum()
    assert (counts["true_phase"] == counts["assigned_phase"]).all()
    np.testing.assert_array_equal(examples["p0.phases"], perfect[:120, 100:200])


def test_networks_are_asked_about_blocks_with_tested_labels_alone(steel, monkeypatch, tmp_path):
    asked = []

    def network_answers(image, *, wanted, phases, **_):
        asked.append(wanted)
        answer = np.zeros((*image.shape, len(phases)), np.float32)
        answer[..., 1] = 0.6
        # Nothing was answered there.
        answer[:, 200:] = 0
        yield answer

    monkeypatch.setattr(phase_networks, "network_answers", network_answers)
    monkeypatch.setattr(phase_networks.ImageModelCard, "read", lambda path: None)
    counts, costs, examples = phase_networks.network_counts(
        steel,
        model_path=tmp_path / "a.keras",
        trained_here=False,
        method="a",
        fold=1,
        phases=PHASES,
    )
    assert len(asked) == 1 and asked[0](Window(top=0, left=0, bottom=200, right=300))
    assert not asked[0](Window(top=0, left=0, bottom=30, right=300))
    assert set(counts["assigned_phase"]) == {"network"} and costs["training_s"].isna().all()
    assert counts["pixels"].sum() == (SHAPE[0] - 30) * 200
    assert (examples["p1.phases"][:, 200:] == 0).all()


def test_a_phase_that_only_the_tested_fold_has_is_an_error(steel, tmp_path):
    path = tmp_path / "labels.ome.tif"
    poor = np.minimum(steel[0].labels.read(), 3)
    write_tiled(path, [poor], shape=SHAPE, pixel_size_nm=40, name="labels", pyramid=False)
    with TiledImage(path) as labels:
        few = [LabelledPanorama(**{**vars(each), "labels": labels}) for each in steel[:2]]
        with pytest.raises(InputError, match="no labelled pixel of lath is left to learn from"):
            learn_rival("multi_otsu", [*few, steel[2]], folds=[0, 1], phases=PHASES, seed=0)


def test_examples_are_the_same_bytes_each_time(tmp_path):
    examples = {"a.image": np.arange(12, dtype=np.uint8).reshape(3, 4)}
    for name in ("one.npz", "two.npz"):
        write_examples(tmp_path / name, examples)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as stored:
        np.testing.assert_array_equal(stored["a.image"], examples["a.image"])
