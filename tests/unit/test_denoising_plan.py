"""Which networks denoise which panoramas of a study, and what is refused beforehand."""

import pandas as pd
import pytest

from damascene import InputError
from damascene.config.study import load_study
from damascene.study.denoising_plan import DenoisingPlan, check_denoising


def sheet(**rows):
    """Noise condition and second scan by panorama."""
    return pd.DataFrame.from_dict(rows, orient="index", columns=["noise_condition", "paired_scan"])


def plan(method, rows):
    study = load_study({"denoise": {"method": method}})
    return DenoisingPlan(study=study, sheet=rows, panoramas=tuple(rows.index))


ROWS = sheet(a=("fast", "slow/a.tif"), b=("fast", ""), c=("", ""), d=("", "slow/d.tif"))


def test_panoramas_of_a_noise_condition_share_a_network():
    found = plan("paired", ROWS)
    assert found.conditions == {"all": ("c", "d"), "fast": ("a", "b")}
    assert found.network("paired", "a") == found.network("paired", "b")
    assert found.network("paired", "b") == "results/models/denoise_paired.fast.keras"
    assert found.network("paired", "c") == "results/models/denoise_paired.all.keras"
    assert found.trainings == [
        {"method": "paired", "condition": "all"},
        {"method": "paired", "condition": "fast"},
    ]


def test_pairs_teach_and_all_panoramas_are_denoised():
    found = plan("paired", ROWS)
    assert found.learned_from("paired", "fast") == ("a",)
    assert found.learned_from("self_supervised", "fast") == ("a", "b")
    assert found.learned == ("a", "b", "c", "d")
    assert found.filtered == ()


def test_filters_and_the_ready_made_network_are_not_trained():
    for method in ("none", "gaussian", "simulated"):
        assert plan(method, ROWS).trainings == []
    assert plan("gaussian", ROWS).filtered == ("a", "b", "c", "d")
    assert plan("gaussian", ROWS).learned == ()
    assert plan("none", ROWS).filtered == ()
    network, card = plan("simulated", ROWS).given_files("simulated")
    assert network.endswith("resources/models/denoise_simulated.keras")
    assert card.endswith("resources/models/denoise_simulated.json")
    assert plan("simulated", ROWS).network_files("simulated", "a") == []


def test_a_condition_without_a_second_scan_is_named_before_work_starts():
    rows = sheet(a=("fast", ""), b=("slow", "slow/b.tif"))
    study = load_study({"denoise": {"method": "paired"}})
    with pytest.raises(InputError, match=r"noise condition 'fast'.*paired_scan"):
        check_denoising(study, rows)
    check_denoising(study, ROWS)
    check_denoising(load_study({"denoise": {"method": "self_supervised"}}), rows)


def test_a_calibrated_strength_is_refused_with_a_network():
    with pytest.raises(InputError, match="calibrated"):
        load_study({"denoise": {"method": "simulated", "strength": "calibrated"}})
