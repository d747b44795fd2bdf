"""What the noise of panoramas speaks against is said, with its figure."""

import pytest

from damascene.config.denoising import LEARNED, Denoise
from damascene.contracts.image_model_card import ImageModelCard, LearnedNoise
from damascene.contracts.noise_record import NoiseRecord
from damascene.quality.noise import differing_noise, noise_caveats, noise_sentence
from damascene.statistics.caveats import MARK, caveat_lines


def record(panorama="P1", *, fine=20.0, along=0.02, across=0.01, lines=0.0, sigma=20.0):
    known = sigma is not None
    return NoiseRecord(
        panorama=panorama,
        patches=300 if known else 0,
        sigma_grey=sigma,
        fine_grey=fine,
        correlation_along=(along, 0.0, 0.0) if known else None,
        correlation_across=(across, 0.0, 0.0) if known else None,
        line_grey=lines,
        by_grey=(),
        variance_slope=None,
        variance_intercept=None,
        skewness=0.01 if known else None,
        distribution="gaussian" if known else "undecided",
        versions={},
    )


def card(method, *, layout="whole", grey=(2.0, 40.0)):
    return ImageModelCard.model_construct(
        method=method,
        network_options={"layout": layout},
        noise=LearnedNoise(description="", sigma_grey_levels=grey),
    )


def caveats_of(noise, method, **options):
    network = card(method, **options) if method in LEARNED else None
    return noise_caveats(
        noise, denoise=Denoise.model_construct(method=method, strength=1.0), card=network
    )


def test_white_noise_is_no_caveat():
    for method in ("none", "median", *LEARNED):
        assert caveats_of(record(), method, layout="pixel") == []


@pytest.mark.parametrize("where", ["along", "across"])
def test_correlated_noise_is_one_for_networks_that_take_it_for_structure(where):
    noise = record(**{where: 0.44})
    (caveat,) = caveats_of(noise, "self_supervised", layout="pixel")
    assert caveat.kind == "other_noise"
    assert f"correlated by 0.44 with that of a pixel beside it {where} the" in caveat.text
    assert "not shown the pixel that it answers alone" in caveat.text
    for method in ("none", "median", "paired"):
        assert caveats_of(noise, method) == []


def test_a_network_that_does_not_see_the_row_covers_correlation_along_the_lines():
    for noise in (record(along=0.6), record(lines=12.0)):
        assert caveats_of(noise, "self_supervised", layout="line") == []
        assert caveats_of(noise, "self_supervised", layout="pixel")
    (caveat,) = caveats_of(record(along=0.6, across=0.3), "self_supervised", layout="line")
    assert "0.30" in caveat.text and "across" in caveat.text and "along" not in caveat.text
    assert "not shown the row" in caveat.text


@pytest.mark.parametrize("method", LEARNED)
def test_texture_of_a_clean_panorama_is_no_caveat(method):
    """As measured on real steel: without noise, with white noise of 5 and of 10 grey levels."""
    clean = record(sigma=None, fine=2.6)
    some = record(sigma=10.7, fine=5.6, along=0.37, across=0.54)
    more = record(sigma=13.7, fine=10.5, along=0.21, across=0.27)
    for noise in (clean, some, more):
        assert caveats_of(noise, method, layout="pixel") == []
    assert differing_noise([some, record("b", fine=5.6), record("c", fine=5.6)], {}) == []


@pytest.mark.parametrize(
    ("noise", "figure"),
    [({"along": 0.44}, "0.44"), ({"across": 0.3}, "0.30"), ({"sigma": 55.0}, "55")],
)
def test_noise_that_the_ready_made_network_did_not_learn_from_is_said(noise, figure):
    (caveat,) = caveats_of(record(**noise), "simulated")
    assert caveat.kind == "other_noise"
    assert figure in caveat.text


@pytest.mark.parametrize("method", ["wavelet", *LEARNED])
def test_a_panorama_that_was_not_denoised_is_named(method):
    noise = record(sigma=None, fine=None)
    (caveat,) = caveats_of(noise, method)
    assert caveat.kind == "unmeasured_noise"
    assert "nothing was denoised" in caveat.text
    assert caveats_of(noise, "none") == []
    assert "could not be measured" in noise_sentence(noise)
    assert differing_noise([noise, record("b"), record("c")], {}) == []


def test_a_strength_that_could_not_be_calibrated_is_said():
    calibrated = Denoise(method="wavelet", strength="calibrated")
    (caveat,) = noise_caveats(record(along=0.44), denoise=calibrated)
    assert caveat.kind == "correlated_noise"
    assert "0.44 along" in caveat.text and "not calibrated" in caveat.text
    (caveat,) = noise_caveats(record(sigma=None), denoise=calibrated)
    assert caveat.kind == "unknown_noise"
    assert noise_caveats(record(), denoise=calibrated) == []
    assert noise_caveats(record(along=0.44), denoise=Denoise(method="wavelet")) == []


def test_offsets_of_rows_correlate_the_pixels_of_a_row():
    # 12^2 of 20^2 are shared by a whole row.
    noise = record(lines=12.0)
    assert noise.largest_correlation == pytest.approx(0.36 + 0.64 * 0.02)
    (caveat,) = caveats_of(noise, "self_supervised", layout="pixel")
    assert "correlated by 0.37" in caveat.text


def test_what_could_not_be_measured_is_said():
    (caveat,) = caveats_of(record(sigma=None), "self_supervised", layout="pixel")
    assert "no area is flat enough" in caveat.text


def test_the_sentence_of_the_quality_page_has_the_figures():
    said = noise_sentence(record(along=0.44, lines=0.5))
    for words in ("20 grey levels", "Gaussian", "0.44 along", "0.01 across", "offsets of rows 0.5"):
        assert words in said
    said = noise_sentence(record(sigma=None, fine=2.75))
    assert "finest part 2.8 grey levels" in said and "no area is flat" in said


def test_a_panorama_that_was_scanned_otherwise_is_named():
    alike = [record("a", fine=5.0), record("b", fine=5.4), record("c", fine=4.9)]
    assert differing_noise(alike, {}) == []
    fast = record("d", fine=25.0)
    (remark,) = differing_noise([*alike, fast], {"a": "", "b": "", "c": "", "d": ""})
    assert remark.startswith("d: ") and "25 grey levels against 5" in remark
    # A word of its own, and all is said.
    assert differing_noise([*alike, fast], {"d": "fast"}) == []
    (remark,) = differing_noise([*alike, record("d", along=0.5, fine=5.0)], {})
    assert remark.startswith("d: ") and "correlated" in remark
    # Slow scans of little noise differ by texture more than by noise.
    assert differing_noise([record("a", fine=1.0), record("b", fine=2.2)], {}) == []


def test_remarks_and_caveats_stand_among_the_lines_of_the_headline():
    (remark,) = differing_noise([record("a", fine=5.0), record("b", fine=5.1), record("c")], {})
    assert caveat_lines([], others=[remark]) == [f"{MARK}{remark}"]
