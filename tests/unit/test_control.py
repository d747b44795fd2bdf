"""The control: inclusions must not change with strain."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from made_records import panorama_record
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import test_poisson_2indep as compare_two_rates

from damascene.contracts.control import CONTROL
from damascene.contracts.table import check_table
from damascene.statistics.control import (
    block_dispersion,
    control_lines,
    control_table,
    rate_ratio,
)

NOTHING = {"confidence": 0.95}


def test_two_panoramas_are_compared_as_by_the_score_test():
    counts, areas = np.array([34.0, 52.0]), np.array([0.04, 0.05])
    found = rate_ratio(counts, areas, np.array([0.0, 12.0]), **NOTHING)
    expected = compare_two_rates(52, 0.05, 34, 0.04, method="score", compare="ratio")
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["rate_ratio"] == pytest.approx(52 / 0.05 / (34 / 0.04))
    # Given their sum, the counts are binomial.
    share = np.array(proportion_confint(52, 86, method="wilson"))
    assert (found["low"], found["high"]) == pytest.approx(share / (1 - share) * 0.04 / 0.05)


def test_more_panoramas_follow_the_trend_of_a_poisson_regression():
    counts, areas = np.array([31.0, 45.0, 38.0, 60.0]), np.array([0.04, 0.05, 0.04, 0.06])
    strains = np.array([0.0, 3.0, 6.0, 12.0])
    found = rate_ratio(counts, areas, strains, **NOTHING)
    design = sm.add_constant(strains / 12)
    fit = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=areas).fit()
    assert np.log(found["rate_ratio"]) == pytest.approx(fit.params[1], abs=1e-6)
    assert found["dispersion"] == pytest.approx(max(1, fit.pearson_chi2 / 2), rel=1e-6)
    low, high = np.exp(fit.conf_int()[1])
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=0.03)


def test_a_class_at_one_end_alone_has_one_bound():
    found = rate_ratio(np.array([0.0, 9.0]), np.ones(2), np.array([0.0, 5.0]), **NOTHING)
    assert found["rate_ratio"] == found["high"] == np.inf and 1 < found["low"] < 9
    found = rate_ratio(np.array([9.0, 0.0, 0.0]), np.ones(3), np.array([0, 5.0, 9]), **NOTHING)
    assert found["rate_ratio"] == found["low"] == 0 and found["high"] < 1


@pytest.mark.parametrize("dispersion", [1.0, 3.0])
def test_a_change_is_found_no_more_often_than_promised(dispersion):
    random = np.random.default_rng(1)
    studies, mean = 1500, np.array([36.0, 40.0])
    if dispersion > 1:
        # Negative binomial: variance = dispersion x mean.
        counts = random.negative_binomial(mean / (dispersion - 1), 1 / dispersion, (studies, 2))
    else:
        counts = random.poisson(mean, (studies, 2))
    options = NOTHING | {"least_dispersion": dispersion}
    low, high = np.array(
        [
            (found["low"], found["high"])
            for one in counts.astype(float)
            if (found := rate_ratio(one, mean, np.array([0.0, 12.0]), **options))
        ]
    ).T
    # Three standard errors of a share of 1,500.
    assert np.mean((low > 1) | (high < 1)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def blocks_of(panorama, *, count=12, edge=500):
    left, top = np.meshgrid(np.arange(count) * edge, np.arange(count) * edge)
    return pd.DataFrame(
        {
            "panorama": panorama,
            "left_px": left.ravel(),
            "top_px": top.ravel(),
            "width_px": edge,
            "height_px": edge,
            "valid_fraction": 1.0,
        }
    )


def places(panorama, count, *, label="inclusion", clusters=None, seed=0):
    random = np.random.default_rng(seed)
    centres = random.uniform(0, 5500, (clusters or count, 2))
    chosen = np.arange(count) if clusters is None else random.integers(0, clusters, count)
    x, y = centres[chosen].T + random.uniform(0, 20, (2, count))
    return pd.DataFrame({"panorama": panorama, "class": label, "x_px": x, "y_px": y})


def test_dispersion_tells_scattered_from_gathered_sites():
    blocks = blocks_of("a")
    scattered = block_dispersion(places("a", 300), blocks, panoramas=["a"])
    # The dispersion of 144 Poisson counts scatters by sqrt(2/143) about 1.
    assert scattered == pytest.approx(1, abs=4 * np.sqrt(2 / 143))
    assert block_dispersion(places("a", 300, clusters=60), blocks, panoramas=["a"]) > 3
    assert np.isnan(block_dispersion(places("a", 0), blocks, panoramas=["a"]))


def control_of(counts, strains, **options):
    names = [f"p{index}" for index in range(len(counts))]
    return check_table(
        control_table(
            pd.concat(
                [
                    places(name, count, seed=index, **options)
                    for index, (name, count) in enumerate(zip(names, counts, strict=True))
                ]
            ),
            pd.concat([blocks_of(name) for name in names]),
            [panorama_record(name, valid_area_mm2=0.04) for name in names],
            strains_percent=dict(zip(names, strains, strict=True)),
            confidence=0.95,
        ),
        CONTROL,
        source="test",
    )


def test_growth_of_inclusions_is_a_caveat_and_chance_is_none():
    table = control_of([34, 41], [0, 12])
    assert table["change"].tolist() == ["none", "not_tested"]
    (line,) = control_lines(table)
    assert line.startswith("Control: from 0 to 12 % strain") and "by a factor of 1.21" in line
    assert line.endswith("Chance alone can explain such a change.")
    grown = control_of([34, 80], [0, 12])
    assert grown.loc[0, "change"] == "grows" and grown.loc[0, "p_value"] < 0.001
    (line,) = control_lines(grown)
    assert line.startswith("! ") and "read damage counts with care, because damage is taken" in line
    (line,) = control_lines(control_of([80, 34], [0, 12]))
    assert line.startswith("! ") and "inclusions are taken for damage" in line
    # The same numbers tell less where inclusions lie in stringers.
    assert control_of([34, 80], [0, 12], clusters=5).loc[0, "change"] == "none"


def test_nothing_is_tested_without_two_known_strains_or_without_inclusions():
    for table in (
        control_of([34, 80], [3, 3]),
        control_of([34, 80], [3, np.nan]),
        control_of([34], [np.nan]),
        control_of([34, 80], [0, 5], label="shadowing"),
    ):
        assert table.loc[0, "change"] == "not_tested" and np.isnan(table.loc[0, "p_value"])
        assert "was not tested" in control_lines(table)[0]
    assert control_of([34, 80], [0, 5], label="notch")["change"].tolist() == ["not_tested", "grows"]
