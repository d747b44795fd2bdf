"""What the noise of panoramas speaks against is said, with its figure."""

import pytest

from damascene.config.denoising import Denoise
from damascene.contracts.noise_record import NoiseRecord
from damascene.quality.noise import differing_noise, noise_caveats, noise_sentence
from damascene.statistics.caveats import MARK, caveat_lines


def record(panorama="P1", *, fine=10.0, along=0.02, across=0.01, lines=0.0, sigma=10.0):
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


def of_method(method):
    return Denoise.model_construct(method=method, strength=1.0)


BLIND = of_method("self_supervised")


def test_white_noise_is_no_caveat():
    assert noise_caveats(record(), denoise=BLIND) == []


@pytest.mark.parametrize("where", ["along", "across"])
def test_correlated_noise_is_one_for_networks_that_take_it_for_structure(where):
    noise = record(**{where: 0.44})
    (caveat,) = noise_caveats(noise, denoise=BLIND)
    assert caveat.kind == "correlated_noise"
    assert f"0.44 {where}" in caveat.text
    for method in ("none", "median"):
        assert noise_caveats(noise, denoise=of_method(method)) == []


@pytest.mark.parametrize(
    ("noise", "figure"),
    [({"along": 0.44}, "0.44"), ({"across": 0.3}, "0.30"), ({"sigma": 55.0}, "55")],
)
def test_noise_that_the_ready_made_network_did_not_learn_from_is_said(noise, figure):
    (caveat,) = noise_caveats(record(**noise), denoise=of_method("simulated"))
    assert caveat.kind == "other_noise"
    assert figure in caveat.text
    assert noise_caveats(record(), denoise=of_method("simulated")) == []


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
    # 6^2 of 10^2 are shared by a whole row.
    noise = record(lines=6.0)
    assert noise.largest_correlation == pytest.approx(0.36 + 0.64 * 0.02)
    (caveat,) = noise_caveats(noise, denoise=BLIND)
    assert caveat.kind == "correlated_noise"


def test_what_could_not_be_measured_is_said():
    (caveat,) = noise_caveats(record(sigma=None), denoise=BLIND)
    assert caveat.kind == "unknown_noise"
    assert "no area is flat enough" in caveat.text


def test_the_sentence_of_the_quality_page_has_the_figures():
    said = noise_sentence(record(along=0.44, lines=0.5))
    for words in ("10 grey levels", "Gaussian", "0.44 along", "0.01 across", "offsets of rows 0.5"):
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
