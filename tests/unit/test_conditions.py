"""Conditions: their panoramas together, and two of them compared."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from made_densities import densities_with
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import test_poisson_2indep as compare_two_rates

from damascene.statistics.conditions import condition_table, pooled_density
from damascene.statistics.headline import headline_table, headline_text, rounded
from damascene.statistics.intervals import poisson_interval
from damascene.statistics.rate_ratios import adjusted_ratio, ratio_table

AREA = 0.04


def conditions_of(counts, strains, names, **options):
    density = densities_with(counts, strains, area_mm2=AREA, **options)
    named = dict(zip(density["panorama"].unique(), names, strict=True))
    return density, {"conditions": named, "confidence": 0.95}


def test_panoramas_of_a_condition_are_summed_up_by_strain():
    density, options = conditions_of(
        {"notch": [10, 14, 30, 5]}, [0, 0, 12, 0], ["a", "a", "a", "b"]
    )
    table = condition_table(density, **options).set_index(["condition", "strain_percent", "class"])
    row = table.loc[("a", 0, "notch")]
    assert (row["panoramas"], row["count"]) == (2, 24)
    assert row["density_per_mm2"] == pytest.approx(24 / 0.08)
    assert row["low_per_mm2"] < 300 < row["high_per_mm2"]
    single = table.loc[("a", 12, "notch")]
    assert single["variance_note"].startswith("not estimated, because one panorama")
    assert np.isnan(single["panorama_variance"])
    assert table.xs("all", level="class")["count"].sum() == 59
    none = table.loc[("a", 0, "shadowing")]
    assert "no site" in none["variance_note"] and none["low_per_mm2"] == 0
    assert none["high_per_mm2"] == pytest.approx(poisson_interval(0)[1] / 0.08)


def test_the_interval_of_a_condition_rests_on_how_panoramas_differ():
    random = np.random.default_rng(8)
    alike = random.poisson(400, 8)
    unlike = random.poisson(400 * random.gamma(4, 1 / 4, 8))
    strains, names = [3.0] * 8, ["a"] * 8
    rows = []
    for counts in (alike, unlike):
        density, options = conditions_of({"notch": counts}, strains, names)
        rows.append(condition_table(density, **options).set_index("class").loc["notch"])
    assert rows[0]["panorama_variance"] == pytest.approx(0, abs=0.01)
    assert rows[1]["panorama_variance"] == pytest.approx(1 / 4, rel=0.9)
    assert rows[1]["p_value"] < 1e-6 < rows[0]["p_value"]
    half = stats.t.ppf(0.975, 7) * unlike.std(ddof=1) / np.sqrt(8) / AREA
    width = rows[1]["high_per_mm2"] - rows[1]["low_per_mm2"]
    assert width == pytest.approx(2 * half, rel=0.15)


def test_intervals_of_conditions_hold_their_density():
    random = np.random.default_rng(9)
    density = densities_with({"notch": [9] * 6}, [3.0] * 6, area_mm2=AREA)
    rows = density[density["class"] == "notch"].copy()
    held = 0
    for _ in range(300):
        rows["count"] = random.poisson(60 * random.gamma(16, 1 / 16, 6))
        found = pooled_density(rows, confidence=0.95)
        held += found["low_per_mm2"] <= 60 / AREA <= found["high_per_mm2"]
    # Three standard errors of a share of 300.
    assert held / 300 == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / 300))


def test_conditions_of_one_strain_are_compared_as_by_the_score_test():
    density, options = conditions_of({"notch": [34, 52]}, [3, 3], ["old", "new"])
    table = ratio_table(density, **options).set_index("class")
    row = table.loc["notch"]
    expected = compare_two_rates(52, AREA, 34, AREA, method="score", compare="ratio")
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert row["rate_ratio"] == pytest.approx(52 / 34)
    assert (row["reference"], row["condition"], row["basis"]) == ("old", "new", "at 3 % strain")
    tested = table["p_value"].notna()
    assert (table["comparisons"] == tested.sum()).all()
    holm = multipletests(table.loc[tested, "p_value"].to_numpy(float), method="holm")[1]
    assert table.loc[tested, "p_holm"].to_numpy(float) == pytest.approx(holm)
    assert row["sentence"].startswith(
        "At 3 % strain, the density of notch sites in new is 1.53 times that in old (95 % CI "
    )
    assert f"52 sites in {AREA:.3g} mm² of 1 panorama against 34 sites in" in row["sentence"]
    assert "not corrected for the number of comparisons" in row["sentence"]
    assert row["sentence"].endswith(
        "Differences between specimens are not in the interval (n = 1 and 1 panoramas)."
    )
    assert row["area_mm2"] == row["reference_area_mm2"] == AREA
    assert table.loc["inclusion", "sentence"] == (
        "The ratio of new to old was not estimated for inclusion sites, because there is no site "
        "of this class."
    )
    assert "nan" not in " ".join(table["sentence"])


def test_shared_strains_are_strata_and_others_are_left_out():
    counts = [30, 60, 45, 100, 999]
    density, options = conditions_of({"notch": counts}, [0, 6, 0, 6, 12], list("aabbb"))
    row = ratio_table(density, **options).set_index("class").loc["notch"]
    assert row["basis"] == "at 0, 6 % strain" and row["count"] == 145
    design = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]], float)
    fit = sm.GLM(counts[:4], design, family=sm.families.Poisson()).fit()
    assert np.log(row["rate_ratio"]) == pytest.approx(fit.params[2], abs=1e-6)


def test_strains_that_overlap_are_adjusted_for():
    strains, names = [0, 4, 8, 2, 6, 10], list("aaabbb")
    counts = [20, 30, 45, 50, 75, 112]
    density, options = conditions_of({"notch": counts}, strains, names)
    row = ratio_table(density, **options).set_index("class").loc["notch"]
    assert row["basis"] == "adjusted for strain"
    # Both grow by 1.5 in 4 %, and b is twice as dense at one strain.
    assert row["rate_ratio"] == pytest.approx(50 / np.sqrt(20 * 30), rel=0.01)
    single = adjusted_ratio(
        np.array(counts, float),
        np.full(6, AREA),
        np.array(names) == "b",
        np.array(strains, float),
        confidence=0.95,
    )
    assert single["low"] < 2 < single["high"] and single["dispersion"] == 1


@pytest.mark.parametrize(
    ("strains", "reason"),
    [
        ([0, 2, 6, 8], "the ranges of strain of the conditions do not overlap"),
        ([0, 2, np.nan, np.nan], "the strain of the panoramas of one condition is not known"),
    ],
)
def test_what_cannot_be_compared_has_a_reason(strains, reason):
    density, options = conditions_of({"notch": [9, 9, 9, 9]}, strains, list("aabb"))
    table = ratio_table(density, **options)
    assert set(table["not_estimated"]) == {reason} and (table["comparisons"] == 0).all()
    density, options = conditions_of({"notch": [9, 9, 9, 9]}, strains, ["a", "a", "", ""])
    (row,) = ratio_table(density, **options).to_dict("records")
    assert row["not_estimated"] == "the sample sheet names one condition, 'a'"


def test_a_condition_without_a_site_of_a_class_has_one_bound():
    density, options = conditions_of({"notch": [0, 12]}, [3, 3], ["a", "b"])
    row = ratio_table(density, **options).set_index("class").loc["notch"]
    assert row["rate_ratio"] == row["high"] == np.inf and row["low"] > 1


def test_gathered_sites_tell_less():
    density, options = conditions_of({"notch": [34, 80]}, [3, 3], ["a", "b"])
    sure = ratio_table(density, **options).set_index("class").loc["notch"]
    density, options = conditions_of({"notch": [34, 80]}, [3, 3], ["a", "b"], dispersion=9.0)
    unsure = ratio_table(density, **options).set_index("class").loc["notch"]
    assert sure["p_value"] < 0.001 < 0.05 < unsure["p_value"]
    assert unsure["rate_ratio"] == sure["rate_ratio"]


def test_withheld_panoramas_take_no_part():
    density, options = conditions_of({"notch": [34, 80]}, [3, 3], ["a", "b"])
    mine = (density["panorama"] == "p1") & (density["class"] != "all")
    density.loc[mine, "not_estimated"] = "the steel is foreign"
    ratios = ratio_table(density, **options).set_index("class")
    assert ratios.loc["notch", "not_estimated"] == "no panorama of 'b' has a count"
    assert ratios.loc["all", "not_estimated"] == ""
    summed = condition_table(density, **options).set_index(["condition", "class"])
    assert summed.loc[("b", "notch"), "not_estimated"] == "the steel is foreign"


def test_many_panoramas_are_one_column_a_strain_in_the_headline():
    density = densities_with({"notch": list(range(20, 34))}, [0.0] * 7 + [6.0] * 7, area_mm2=AREA)
    headline = headline_table(density).set_index("panorama")
    assert list(headline.index) == ["7 panoramas, 0 %", "7 panoramas, 6 %"]
    own = density[(density["class"] == "notch") & (density["strain_percent"] == 6)]
    found = pooled_density(own, confidence=0.95)
    low, high = (rounded(found[f"{bound}_per_mm2"]) for bound in ("low", "high"))
    assert headline.loc["7 panoramas, 6 %", "notch"] == f"210 (750 [{low}, {high}])"
    assert "from how panoramas of one strain differ" in headline_text(density, notes=[])


@pytest.mark.parametrize("panoramas", [1, 3])
def test_panoramas_of_one_block_are_summed_up_as_poisson_counts(panoramas):
    table = densities_with({"notch": [20] * panoramas}, [5] * panoramas)
    table = table.assign(
        blocks=pd.array([pd.NA] * len(table), "Int64"), dispersion=np.nan, block_low_per_mm2=np.nan
    )
    own = table[table["class"] == "notch"]
    found = pooled_density(own, confidence=0.95)
    bounds = [found["low_per_mm2"], found["high_per_mm2"]]
    poisson = np.array(poisson_interval(20 * panoramas)) / own["area_mm2"].sum()
    assert bounds == pytest.approx(poisson)


def test_strain_and_condition_that_cannot_be_told_apart_have_a_reason():
    table = densities_with({"notch": [0, 40, 0, 20]}, [4, 6, 5, 5.5])
    names = {"p0": "a", "p1": "a", "p2": "b", "p3": "b"}
    ratios = ratio_table(table, conditions=names, confidence=0.95).set_index("class")
    assert "cannot be told apart" in ratios.loc["notch", "not_estimated"]
    assert np.isnan(ratios.loc["notch", "rate_ratio"])


def test_a_ratio_without_end_is_said_in_words():
    table = densities_with({"notch": [0, 20]}, [5, 5])
    ratios = ratio_table(table, conditions={"p0": "a", "p1": "b"}, confidence=0.95)
    row = ratios.set_index("class").loc["notch"]
    assert np.isinf(row["rate_ratio"]) and "5.21 on" in row["sentence"]
    assert not re.search(r"\binf\b|\bnan\b", " ".join(ratios["sentence"]))


@pytest.mark.parametrize(
    ("each", "note"),
    [(1, "are not in the interval (n = 1 and 1"), (2, "knows little"), (3, "")],
)
def test_a_note_says_what_few_panoramas_do_not_tell(each, note):
    names = ["a"] * each + ["b"] * each
    density, options = conditions_of({"notch": [30] * each + [32] * each}, [3] * 2 * each, names)
    row = ratio_table(density, **options).set_index("class").loc["notch"]
    # Two panoramas a side leave two degrees of freedom, three leave four.
    assert note in row["note"] and bool(row["note"]) == bool(note)
    assert row["panoramas"] == row["reference_panoramas"] == each


def test_a_ratio_and_its_bounds_have_as_many_decimals():
    for counts in ([34, 33], [20, 700], [900, 20], [30, 30]):
        density, options = conditions_of({"notch": counts}, [3, 3], ["a", "b"])
        row = ratio_table(density, **options).set_index("class").loc["notch"]
        said = re.search(r"is ([\d.]+) times .* CI ([\d.]+) to ([\d.]+),", row["sentence"])
        decimals = {len(number.partition(".")[2]) for number in said.groups()}
        assert len(decimals) == 1, row["sentence"]
        assert "p = 1," not in row["sentence"]
