"""Networks that denoise: what they may see, what they learn, and how they are applied."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from scipy import integrate, stats

from damascene import InputError
from damascene.contracts.noise_record import NoiseRecord
from damascene.images.store import TiledImage, Window, write_all_valid, write_tiled
from damascene.learning.progress import Progress
from damascene.restoration import denoise_panorama, denoise_strip, join_denoised
from damascene.restoration.cells import LAYOUTS, put_cells, to_cells
from damascene.restoration.condition_training import train_condition
from damascene.restoration.learned import Denoiser, build_denoiser, denoise_blocks, read_denoiser
from damascene.restoration.learned_noise import blind_layout, doubts, usual_noise
from damascene.restoration.likelihood import (
    GREY_SCALE,
    RecordedGreyLoss,
    posterior_mean,
    void_weight,
)
from damascene.restoration.training_windows import Scan, read_scenes
from damascene.simulation.panorama import draw_scene, make_specimen

WIDTHS = (16, 24)
NOISE = 25.0


def record(panorama="a", **changes):
    facts = {
        "panorama": panorama,
        "patches": 50,
        "sigma_grey": NOISE,
        "fine_grey": NOISE,
        "correlation_along": (0.0, 0.0, 0.0),
        "correlation_across": (0.0, 0.0, 0.0),
        "line_grey": 0.0,
        "by_grey": (),
        "variance_slope": None,
        "variance_intercept": None,
        "skewness": 0.0,
        "distribution": "gaussian",
        "versions": {},
    }
    return NoiseRecord(**(facts | changes))


@pytest.fixture(scope="module")
def steel():
    """A window of simulated steel without noise, float32 (600, 640)."""
    shape = (600, 640)
    specimen = make_specimen(shape=shape, pixel_size_nm=50.0, strain_percent=20.0, seed=3)
    return draw_scene(specimen, Window(top=0, left=0, bottom=shape[0], right=shape[1]))[0]


def stored(folder, pixels, name="a"):
    path = folder / f"{name}.ome.tif"
    write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50.0, name=name)
    return path


def noisy(steel, seed=1, noise=NOISE):
    rng = np.random.default_rng(seed)
    return np.rint(steel + noise * rng.standard_normal(steel.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def scan(steel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    image = stored(folder, noisy(steel))
    valid = folder / "valid.ome.tif"
    write_all_valid(valid, shape=steel.shape, pixel_size_nm=50.0, name="valid")
    return Scan(image=image, valid=valid)


def train(scan, path, *, method="self_supervised", epochs=3, batches=40, **options):
    history, card = train_condition(
        {"a": scan},
        [record()],
        method=method,
        epochs=epochs,
        epoch_batches=batches,
        widths=WIDTHS,
        seed=5,
        model_path=path,
        **options,
    )
    card.write(path.with_suffix(".json"))
    return history


@pytest.fixture(scope="module")
def network(scan, tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "denoise.keras"
    train(scan, path)
    return path


def random_denoiser(layout, seed=0):
    """A network that was not trained: whatever it sees changes its answers."""
    keras.utils.set_random_seed(seed)
    model = build_denoiser(layout=LAYOUTS[layout], widths=(4, 4))

    options = {"layout": layout, "noise_channel": False, "seen_noise": None, "dark_grey": None}
    return Denoiser(model, SimpleNamespace(network_options=options))


def expected(denoiser, path):
    """What a blind network expects of each pixel: the pixel itself says nothing."""
    with TiledImage(path) as image:
        return np.concatenate(list(denoise_blocks(denoiser, image, noise=1e7)))


@pytest.mark.parametrize("shape", [(64, 70), (33, 41)])
@pytest.mark.parametrize("layout", ["pixel", "line"])
def test_a_blind_network_never_sees_the_pixel_that_it_answers(layout, shape, tmp_path):
    denoiser = random_denoiser(layout)
    pixels = np.random.default_rng(0).integers(60, 140, shape).astype(np.uint8)
    before = expected(denoiser, stored(tmp_path, pixels, "before"))
    others = 0
    rows, columns = shape
    for row, column in ((0, 0), (1, 1), (2, 9), (20, 31), (rows - 1, columns - 1), (rows - 2, 3)):
        changed = pixels.copy()
        changed[row, column] = 255
        after = expected(denoiser, stored(tmp_path, changed, "after"))
        hidden = (row, slice(None)) if layout == "line" else (row, column)
        np.testing.assert_array_equal(after[hidden], before[hidden])
        others += (after != before).sum()
    assert others > 20


def test_a_network_that_sees_all_is_told_from_a_blind_one(tmp_path):
    denoiser = random_denoiser("whole")
    pixels = np.random.default_rng(0).integers(60, 140, (64, 64)).astype(np.uint8)
    changed = pixels.copy()
    changed[20, 31] = 255
    before, after = (
        expected(denoiser, stored(tmp_path, each, name))
        for each, name in ((pixels, "before"), (changed, "after"))
    )
    assert before[20, 31] != after[20, 31]


def test_cells_hold_each_pixel_once():
    pixels = np.arange(24).reshape(4, 6)
    cells = to_cells(pixels)
    assert cells[1, 2].tolist() == [16, 17, 22, 23]
    again = np.zeros_like(pixels)
    put_cells(again, cells, (0, 1, 2, 3))
    np.testing.assert_array_equal(again, pixels)


@pytest.mark.parametrize("dark_grey", [None, 30.0])
@pytest.mark.parametrize("recorded", [0, 1, 90, 254, 255])
def test_the_posterior_mean_is_that_of_all_greys_that_could_have_been_recorded(recorded, dark_grey):
    expected_grey, uncertainty = 20.0, 14.0
    greys = np.linspace(-200, 500, 200_001)
    prior = stats.norm.pdf(greys, expected_grey, uncertainty)
    if recorded == 0:
        likely = stats.norm.cdf(0.5, greys, NOISE)
    elif recorded == 255:
        likely = stats.norm.sf(254.5, greys, NOISE)
    else:
        likely = stats.norm.pdf(recorded, greys, NOISE)
    weight = likely * prior * (1 if dark_grey is None else void_weight(greys, dark_grey))
    mean = integrate.trapezoid(greys * weight, greys) / integrate.trapezoid(weight, greys)
    found = posterior_mean(
        np.array([float(recorded)]),
        expected=np.array([expected_grey]),
        uncertainty=np.array([uncertainty]),
        noise=NOISE,
        dark_grey=dark_grey,
    )
    # What is left after a cut is only nearly normal, which matters to the weights.
    cut = recorded in (0, 255) and dark_grey is not None
    assert found[0] == pytest.approx(mean, abs=0.5 if cut else 0.01)


def test_the_loss_is_the_likelihood_of_what_was_recorded():
    recorded = np.array([0.0, 40.0, 255.0, 0.0])
    base = np.array([10.0, 50.0, 240.0, 250.0])
    noise = np.array([25.0, 3.0, 25.0, 2.0])
    answer, log = np.array([0.1, -0.2, 0.05, -0.1]), np.array([-3.0, -2.0, -1.0, -4.0])
    mean = base + GREY_SCALE * answer
    spread = np.hypot(noise, GREY_SCALE * np.exp(log))
    wanted = -np.array(
        [
            stats.norm.logcdf(0.5, mean[0], spread[0]),
            stats.norm.logpdf(40, mean[1], spread[1]),
            stats.norm.logsf(254.5, mean[2], spread[2]),
            stats.norm.logcdf(0.5, mean[3], spread[3]),
        ]
    )
    ones = np.ones(4)
    for counts in (ones, np.array([1.0, 0.0, 2.0, 1.0])):
        target = np.stack([recorded, base, noise, counts], axis=-1)[None, None]
        found = RecordedGreyLoss(reduction=None)(
            target.astype(np.float32), np.stack([answer, log], axis=-1)[None, None].astype("f4")
        )
        np.testing.assert_allclose(found[0, 0], wanted * counts, rtol=2e-3)


def psnr(image, steel):
    return 10 * np.log10(255**2 / np.mean((image.astype(float) - steel.clip(0, 255)) ** 2))


def test_a_network_learns_from_the_noisy_scan_alone(network, scan, steel, tmp_path):
    with TiledImage(scan.image) as image:
        found = denoise_panorama(
            image,
            panorama="a",
            method="self_supervised",
            path=tmp_path / "out.ome.tif",
            network=read_denoiser(network),
            noise=record(),
        )
        before = psnr(image.read(), steel)
    with TiledImage(tmp_path / "out.ome.tif") as image:
        after = psnr(image.read(), steel)
    assert after > before + 4
    assert found.noise_after_grey_levels < 0.4 * found.noise_grey_levels
    assert found.doubts == ()


def test_a_network_learns_from_a_second_scan(scan, steel, tmp_path):
    target = stored(tmp_path, noisy(steel, seed=2, noise=2.0), "slow")
    second = Scan(image=scan.image, valid=scan.valid, target=target, target_valid=scan.valid)
    train(
        second,
        tmp_path / "paired.keras",
        method="paired",
        paired=[SimpleNamespace(noise_grey_levels=2.0)],
    )
    with TiledImage(scan.image) as image:
        before = psnr(image.read(), steel)
        denoise_panorama(
            image,
            panorama="a",
            method="paired",
            path=tmp_path / "out.ome.tif",
            network=read_denoiser(tmp_path / "paired.keras"),
            noise=record(),
        )
    with TiledImage(tmp_path / "out.ome.tif") as image:
        assert psnr(image.read(), steel) > before + 4


def test_what_is_not_valid_does_not_teach(scan, steel, tmp_path):
    """A part that is masked may hold anything: the network comes out the same."""
    networks = []
    for name, grey in (("black", 0), ("white", 255)):
        pixels = noisy(steel)
        pixels[:, 500:] = grey
        valid = np.full(steel.shape, 255, np.uint8)
        # What is seen beside a valid pixel does matter, so that patches must not reach there.
        valid[:, 300:] = 0
        files = Scan(
            image=stored(tmp_path, pixels, name), valid=stored(tmp_path, valid, f"{name}.valid")
        )
        scenes = read_scenes([files], seed=1, windows=4, window_px=128)
        assert all(scene.valid.any() for scene in scenes)
        assert any(not scene.valid.all() for scene in scenes)
        networks.append([scene.image * scene.valid for scene in scenes])
    for one, other in zip(*networks, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_panorama_without_valid_pixels_is_refused(scan, steel, tmp_path):
    masked = stored(tmp_path, np.zeros(steel.shape, np.uint8), "masked")
    with pytest.raises(InputError, match="nothing to learn from"):
        read_scenes([Scan(image=scan.image, valid=masked)], seed=1, windows=4)


def test_a_training_that_was_killed_goes_on_with_the_same_network(scan, tmp_path, monkeypatch):
    train(scan, tmp_path / "whole.keras", epochs=2, batches=4)

    def killed(self, row):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Progress, "_tell", killed)
        train(scan, tmp_path / "resumed.keras", epochs=2, batches=4)
    assert not (tmp_path / "resumed.keras").exists()
    assert list(tmp_path.glob(".resumed*.npz"))
    train(scan, tmp_path / "resumed.keras", epochs=2, batches=4)
    assert not list(tmp_path.glob(".resumed*"))
    one, other = (
        keras.models.load_model(tmp_path / f"{name}.keras", compile=False).get_weights()
        for name in ("whole", "resumed")
    )
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("strips", [2, 3])
def test_strips_and_threads_change_nothing(network, scan, steel, tmp_path, strips):
    denoiser = read_denoiser(network)
    # Of several blocks, with remainders.
    pixels = np.tile(noisy(steel), (2, 2))[:1100, :1030]
    options = {"method": "self_supervised", "noise": record()}
    with TiledImage(stored(tmp_path, pixels, "large")) as image:
        denoise_panorama(
            image, panorama="a", path=tmp_path / "whole.tif", network=denoiser, **options
        )
        parts = [tmp_path / f"{number}.tif" for number in range(strips)]
        for number, part in enumerate(parts):
            denoise_strip(
                image,
                path=part,
                strip=(number, strips),
                threads=2,
                network=denoiser,
                **options,
            )
        join_denoised(
            image, parts, panorama="a", path=tmp_path / "joined.tif", card=denoiser.card, **options
        )
    assert (tmp_path / "joined.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()


def test_blocks_leave_no_seams(network, scan, steel, tmp_path):
    """A panorama that begins elsewhere has its cuts elsewhere, and the same greys."""
    pixels = np.tile(noisy(steel), (2, 1))[:, :600]
    card = read_denoiser(network)
    results = []
    for name, first in (("one", 0), ("other", 200)):
        with TiledImage(stored(tmp_path, pixels[first:], name)) as image:
            results.append(np.concatenate(list(denoise_blocks(card, image, noise=NOISE))))
    inner = slice(300, 1100)
    difference = results[0][inner].astype(int) - results[1][100:900].astype(int)
    assert np.abs(difference).max() <= 1
    assert (difference != 0).mean() < 1e-3


def test_noise_along_the_lines_hides_the_row():
    along = record(correlation_along=(0.5, 0.2, 0.1))
    assert blind_layout([record()]) == "pixel"
    assert blind_layout([along]) == "line"
    assert blind_layout([along, along, record()]) == "line"
    assert blind_layout([record(line_grey=0.6 * NOISE)]) == "line"
    assert blind_layout([record(correlation_along=None)]) == "pixel"


def test_other_noise_than_was_learned_from_is_told_with_the_figure(network):
    card = read_denoiser(network).card
    assert doubts(card, record()) == []
    (told,) = doubts(card, record(sigma_grey=60.0))
    assert "60 grey levels" in told
    simulated = card.model_copy(update={"method": "simulated"})
    (told,) = doubts(simulated, record(correlation_along=(0.62, 0.3, 0.1)))
    assert "0.62" in told
    assert "along" in told


def test_a_network_does_not_learn_from_noise_that_nobody_could_measure():
    unknown = record("dark", sigma_grey=None, fine_grey=None)
    assert usual_noise([unknown, record()]) == NOISE
    with pytest.raises(InputError, match="from dark: no noise"):
        usual_noise([unknown])
    assert blind_layout([unknown]) == "pixel"


def test_a_network_for_something_else_is_refused(network, tmp_path):
    card = read_denoiser(network).card.model_copy(update={"task": "segmentation"})
    (tmp_path / "other.keras").write_bytes(network.read_bytes())
    card.write(tmp_path / "other.json")
    with pytest.raises(InputError, match="does not denoise"):
        read_denoiser(tmp_path / "other.keras")
