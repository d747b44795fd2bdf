"""Change of densities with strain; inclusions, the control, must not change."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from made_densities import densities_with
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.rates import test_poisson_2indep as compare_two_rates

from damascene.statistics.evolution import control_factor, control_lines, evolution_table, fit_trend
from damascene.statistics.rates import block_dispersion, rate_ratio

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
    found = fit_trend(counts, areas, strains, **NOTHING)
    design = sm.add_constant(strains / 12)
    fit = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=areas).fit()
    assert np.log(found["rate_ratio"]) == pytest.approx(fit.params[1], abs=1e-6)
    assert found["dispersion"] == pytest.approx(max(1, fit.pearson_chi2 / 2), rel=1e-6)
    assert found["fitted_from_per_mm2"] == pytest.approx(np.exp(fit.params[0]), rel=1e-6)
    low, high = np.exp(fit.conf_int()[1])
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=0.03)


def test_strata_are_levels_of_their_own():
    counts, areas = np.array([31.0, 45.0, 90.0, 160.0]), np.array([0.04, 0.05, 0.04, 0.06])
    places, strata = np.array([0.0, 1, 0, 1]), np.array([0, 0, 6, 6])
    found = rate_ratio(counts, areas, places, strata=strata, **NOTHING)
    design = np.stack([strata == 0, strata == 6, places], axis=1).astype(float)
    fit = sm.GLM(counts, design, family=sm.families.Poisson(), exposure=areas).fit()
    assert np.log(found["rate_ratio"]) == pytest.approx(fit.params[2], abs=1e-6)
    low, high = np.exp(fit.conf_int(alpha=0.05)[2])
    assert found["dispersion"] == pytest.approx(max(1, fit.pearson_chi2), rel=1e-6)
    assert (found["low"], found["high"]) == pytest.approx((low, high), rel=0.03)


def test_panoramas_that_differ_get_a_negative_binomial_law():
    random = np.random.default_rng(3)
    strains = np.repeat([0.0, 3, 6, 9, 12], 6)
    areas = random.uniform(0.03, 0.06, 30)
    counts = random.poisson(2000 * areas * np.exp(0.1 * strains) * random.gamma(9, 1 / 9, 30))
    found = fit_trend(counts.astype(float), areas, strains, **NOTHING)
    assert found["model"] == "negative_binomial" and "30 panoramas differ" in found["model_reason"]
    design = sm.add_constant(strains / 12)
    family = sm.families.NegativeBinomial(alpha=found["panorama_variance"])
    fit = sm.GLM(counts, design, family=family, exposure=areas).fit(scale=1.0)
    assert found["rate_ratio"] == pytest.approx(np.exp(fit.params[1]), rel=1e-3)
    assert found["panorama_variance"] == pytest.approx(1 / 9, rel=0.5)
    assert found["low"] < np.exp(1.2) < found["high"]
    # The dispersion of their blocks can explain the same scatter.
    calm = fit_trend(counts.astype(float), areas, strains, least_dispersion=40, **NOTHING)
    assert calm["model"] == "quasi_poisson"
    even = fit_trend(np.round(2000 * areas), areas, strains, **NOTHING)
    assert even["model"] == "poisson"


def test_a_class_at_one_end_alone_has_one_bound():
    found = rate_ratio(np.array([0.0, 9.0]), np.ones(2), np.array([0.0, 5.0]), **NOTHING)
    assert found["rate_ratio"] == found["high"] == np.inf and 1 < found["low"] < 9
    found = rate_ratio(np.array([9.0, 0.0, 0.0]), np.ones(3), np.array([0, 5.0, 9]), **NOTHING)
    assert found["rate_ratio"] == found["low"] == 0 and found["high"] < 1


@pytest.mark.parametrize("dispersion", [1.0, 3.0])
def test_a_change_is_found_no_more_often_than_promised(dispersion):
    random = np.random.default_rng(1)
    studies, mean = 1000, np.array([36.0, 40.0])
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
    # Three standard errors of a share.
    assert np.mean((low > 1) | (high < 1)) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_order_and_units_do_not_matter():
    counts, areas = np.array([3.0, 45.0, 38.0, 60.0]), np.array([0.04, 0.05, 0.04, 0.06])
    strains = np.array([0.0, 3.0, 6.0, 12.0])
    found = fit_trend(counts, areas, strains, **NOTHING)
    turned = fit_trend(counts[::-1], areas[::-1] * 1e6, strains[::-1] * 10, **NOTHING)
    for name in ("rate_ratio", "low", "high", "p_value", "dispersion"):
        assert turned[name] == pytest.approx(found[name], rel=1e-6)


def evolution_of(counts, strains, **options):
    return evolution_table(densities_with(counts, strains, **options), confidence=0.95).set_index(
        "class", drop=False
    )


def test_growth_of_inclusions_is_a_caveat_and_chance_is_none():
    table = evolution_of({"inclusion": [34, 41]}, [0, 12])
    assert (
        table["change"].to_dict() | {"inclusion": "none", "notch": "not_tested"}
        == table["change"].to_dict()
    )
    (line,) = control_lines(table)
    assert line.startswith("Control: from 0 to 12 % strain") and "by a factor of 1.21" in line
    assert control_factor(table).startswith("1.21 [") and control_factor(table) in line
    assert line.endswith("Chance alone can explain such a change.")
    grown = evolution_of({"inclusion": [34, 80]}, [0, 12])
    row = grown.loc["inclusion"]
    assert row["change"] == "grows" and row["p_value"] < 0.001
    assert row["ratio_per_percent"] ** 12 == pytest.approx(row["rate_ratio"])
    (line,) = control_lines(grown)
    assert line.startswith("! ") and "read damage counts with care, because damage is taken" in line
    (line,) = control_lines(evolution_of({"inclusion": [80, 34]}, [0, 12]))
    assert line.startswith("! ") and "inclusions are taken for damage" in line
    # The same numbers tell less where inclusions lie in stringers.
    gathered = evolution_of({"inclusion": [34, 80]}, [0, 12], dispersion=9.0)
    assert gathered.loc["inclusion", "change"] == "none"
    assert gathered.loc["inclusion", "model"] == "quasi_poisson"


def test_what_is_not_estimated_has_its_reason():
    for counts, strains, reason in (
        ({"inclusion": [34, 80]}, [3, 3], "all panoramas are at 3 % strain"),
        ({"inclusion": [34, 80]}, [3, np.nan], "at 3 % strain, and 1 without strain do not help"),
        ({"inclusion": [34]}, [np.nan], "the strain of no panorama is known"),
        ({"shadowing": [34, 80]}, [0, 5], "there is no site of this class"),
    ):
        row = evolution_of(counts, strains).loc["inclusion"]
        assert row["change"] == "not_tested" and np.isnan(row["p_value"])
        assert reason in row["not_estimated"]
        (line,) = control_lines(evolution_of(counts, strains))
        assert "was not tested, because " + row["not_estimated"] in line
        assert control_factor(evolution_of(counts, strains)) == ""
    grows = evolution_of({"notch": [34, 80]}, [0, 5])["change"]
    assert grows["notch"] == grows["damage"] == grows["all"] == "grows"


def test_withheld_panoramas_and_those_without_strain_are_left_out():
    table = densities_with({"notch": [10, 20, 500, 30]}, [0, 6, np.nan, 12])
    table.loc[(table["panorama"] == "p3") & (table["class"] != "all"), "not_estimated"] = "foreign"
    row = evolution_table(table, confidence=0.95).set_index("class").loc["notch"]
    assert (row["panoramas"], row["left_out"], row["count"]) == (2, 2, 30)
    table["not_estimated"] = "foreign steel"
    rows = evolution_table(table, confidence=0.95)
    assert rows["not_estimated"].str.contains("no count in any panorama: foreign steel").all()


def test_dispersion_of_blocks_is_pooled_by_their_number():
    rows = pd.DataFrame({"dispersion": [4.0, 2.0, np.nan], "blocks": [11, 6, 20]})
    assert block_dispersion(rows) == pytest.approx((4 * 10 + 2 * 5) / 15)
    assert block_dispersion(rows.assign(dispersion=0.2)) == 1
    assert block_dispersion(rows.iloc[2:]) == 1


def test_growth_from_nothing_is_said_in_words():
    table = evolution_table(densities_with({"inclusion": [0, 0, 19]}, [0, 5, 10]), confidence=0.95)
    (line,) = control_lines(table)
    assert "by a factor that is from 27.52 on" in line
    assert "inf" not in line.replace("inclusion", "") and control_factor(table) in line
