"""Which numbers may be used follows from what is known of them."""

from types import SimpleNamespace

import pandas as pd
import pytest
from test_statistics import densities_of, make_sites

from damascene.classes import DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES, SITE_LABELS
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import Caveat, QualityRecord
from damascene.contracts.table import check_table
from damascene.contracts.verdict import VERDICT
from damascene.evaluation.scores import confusion_table, score_table
from damascene.statistics.headline import headline_text, verdict_lines
from damascene.statistics.verdict import Facts, named, verdict_table


def facts(truth=(), predicted=(), *, strains=(0.0, 6.0), **changes):
    """Return what is known of two panoramas whose networks answered some labels."""
    sites = make_sites(
        [(name, label, 1.0, False) for name in "ab" for label in (*SITE_CLASSES, "notch")]
    )
    densities = densities_of(sites, [("a", strains[0], 0.01), ("b", strains[1], 0.01)])
    tables = {}
    if truth:
        options = {"groups": [str(k % 7) for k in range(len(truth))], "confidence": 0.95}
        tables = {
            "scores": score_table(truth, predicted, **options),
            "confusion": confusion_table(truth, predicted, **options),
        }
    return Facts(
        **{"densities": densities, "change": "none", "quality": [quality("a")]} | tables | changes
    )


def quality(panorama, *, kinds=(), notes=()):
    return QualityRecord.model_construct(
        panorama=panorama,
        blocks=100,
        measured_blocks=100,
        caveats=tuple(Caveat(kind=kind, text="a fault") for kind in kinds),
        notes=tuple(notes),
    )


def judged(facts):
    table = check_table(verdict_table(facts), VERDICT, source="test")
    return table.set_index(["kind", "class"])


def labels(**right):
    """Return true and predicted classes: of 20 sites a class, so many are answered right."""
    truth, predicted = [], []
    for name in SITE_CLASSES:
        hits = right.get(name, 20)
        truth += [name] * 20
        predicted += [name] * hits + ["not_classified"] * (20 - hits)
    return truth, predicted


@pytest.mark.parametrize(
    ("hits", "usable"), [(20, "yes"), (16, "yes"), (15, "with_care"), (11, "no")]
)
def test_counts_of_a_class_go_by_the_lower_of_recall_and_precision(hits, usable):
    table = judged(facts(*labels(interface=hits)))
    row = table.loc[("counts", "interface")]
    assert row["usable"] == usable
    assert f"of 20 labelled sites {5 * hits} % are recognised" in row["reason"]
    assert table.loc[("counts", "notch"), "usable"] == "yes"


def test_classes_of_damage_that_are_confused_with_each_other_are_still_damage():
    truth = [*("notch",) * 20, *("interface",) * 20, *("martensite",) * 20]
    truth += [*("inclusion",) * 20, *("shadowing",) * 20]
    predicted = [*("interface",) * 20, *("notch",) * 20, *truth[40:]]
    table = judged(facts(truth, predicted))
    assert table.loc[("counts", "notch"), "usable"] == "no"
    assert table.loc[("counts", DAMAGE), "usable"] == "yes"


def test_few_labels_and_none_tell_nothing():
    truth, predicted = labels()
    few = [k for k, name in enumerate(truth) if name != "notch"] + [
        k for k, name in enumerate(truth) if name == "notch"
    ][:9]
    table = judged(facts([truth[k] for k in few], [predicted[k] for k in few]))
    assert table.loc[("counts", "notch"), "usable"] == "no"
    assert "9 labels are too few" in table.loc[("counts", "notch"), "reason"]
    without = [k for k, name in enumerate(truth) if name != "notch"]
    table = judged(facts([truth[k] for k in without], [predicted[k] for k in without]))
    assert table.loc[("counts", "notch"), "reason"] == "no label of this class tests the networks."


def test_untested_networks_are_taken_with_care_and_those_from_simulated_steel_not_at_all():
    table = judged(facts(untested="no labels test the networks"))
    assert set(table.loc["counts", "usable"]) == {"with_care"}
    note = "Classes by networks that were trained on simulated steel only: a first answer."
    table = judged(facts(notes_of_networks=[note]))
    assert set(table.loc["counts", "usable"]) == {"no"}
    assert note in table.loc[("counts", "notch"), "reason"]


def test_labels_that_may_have_been_learned_from_lower_the_answer():
    table = judged(facts(*labels(), doubts=["perhaps learned from"]))
    assert set(table.loc["counts", "usable"]) == {"with_care"}


def test_spoilt_images_speak_against_every_number():
    table = judged(facts(*labels(), quality=[quality("a", kinds=["inverted"])]))
    assert table.loc[("sites", ""), "usable"] == table.loc[("sizes", ""), "usable"] == "no"
    assert set(table.loc["counts", "usable"]) == {"no"}
    # One of two, doubts that spoil nothing, and many blocks are for care.
    for records in (
        [quality("a", kinds=["much_dark"]), quality("b")],
        [quality("a", kinds=["few_levels"])],
        [quality("a", notes=["6 of 100 blocks are much darker than the rest (grey 1)"])],
    ):
        table = judged(facts(*labels(), quality=records))
        assert set(table.loc["counts", "usable"]) | {table.loc[("sites", ""), "usable"]} == {
            "with_care"
        }
    few = [quality("a", notes=["5 of 100 blocks are much darker than the rest (grey 1)"])]
    table = judged(facts(*labels(), quality=few))
    assert table.loc[("sites", ""), "usable"] == "yes"
    assert "5 of 100 blocks stand out" in table.loc[("sites", ""), "reason"]


@pytest.mark.parametrize(
    ("change", "usable"),
    [("none", "yes"), ("grows", "with_care"), ("falls", "with_care"), ("not_tested", "with_care")],
)
def test_the_control_speaks_against_the_trend(change, usable):
    assert judged(facts(*labels(), change=change)).loc[("trend", DAMAGE), "usable"] == usable


def test_a_control_without_a_change_is_told_with_its_interval_and_proves_none():
    table = judged(facts(*labels(), change="none", factor="0.90 [0.56, 1.44]"))
    reason = table.loc[("trend", DAMAGE), "reason"]
    assert "no change of inclusions" in reason and "was shown (factor 0.90 [0.56, 1.44])" in reason


@pytest.mark.parametrize("strains", [(6.0, 6.0), (float("nan"), float("nan")), (6.0, float("nan"))])
def test_no_trend_without_two_strains(strains):
    row = judged(facts(*labels(), strains=strains)).loc[("trend", DAMAGE)]
    assert row["usable"] == "no" and row["reason"].startswith("not estimated, because")


def test_a_foreign_panorama_withholds_and_an_unlike_one_warns():
    shift = pd.DataFrame(
        {
            "panorama": ["a", "a", "b"],
            "measure": ["noise", "verdict", "verdict"],
            "flag": ["foreign", "within", "within"],
        }
    )
    assert set(judged(facts(*labels(), shift=shift)).loc["counts", "usable"]) == {"yes"}
    beyond = judged(facts(*labels(), shift=shift.assign(flag=["within", "beyond", "within"])))
    assert set(beyond.loc["counts", "usable"]) == {"with_care"}
    foreign = judged(facts(*labels(), shift=shift.assign(flag=["foreign", "foreign", "within"])))
    assert set(foreign.loc["counts", "usable"]) == {"with_care"}
    both = judged(facts(*labels(), shift=shift.assign(flag="foreign")))
    assert set(both.loc["counts", "usable"]) == {"no"}
    assert "a: foreign" in foreign.loc[("counts", "notch"), "reason"]


def corrected(not_estimated="", *, count=20, recall=0.95, low=500.0, high=1500.0, panoramas="ab"):
    """Return corrected counts that are the same for every class and panorama."""
    return pd.DataFrame(
        [
            {
                "panorama": name,
                "class": label,
                "count": count,
                "corrected_count": None if not_estimated else count / recall,
                "corrected_density_per_mm2": 1000.0,
                "corrected_low_per_mm2": low,
                "corrected_high_per_mm2": high,
                "recall": recall,
                "recall_low": recall - 0.05,
                "recall_high": recall + 0.03,
                "not_estimated": not_estimated,
            }
            for name in panoramas
            for label in (DAMAGE, *SITE_CLASSES, "all")
        ]
    )


def test_corrected_counts_that_lack_for_one_reason_are_told_once():
    table = corrected("too few labels")
    rows = judged(facts(*labels(), corrected=table)).loc["corrected"]
    assert len(rows) == 1 and rows.iloc[0]["usable"] == "no"
    own = table["class"] == "notch"
    table.loc[own, "not_estimated"], table.loc[own, "corrected_count"] = "", 21.0
    rows = judged(facts(*labels(), corrected=table)).loc["corrected"]
    assert rows.loc["notch", "usable"] == "yes" and rows.loc["interface", "usable"] == "no"


@pytest.mark.parametrize(
    ("high", "usable"),
    [(2000.0, "yes"), (2001.0, "with_care"), (5000.0, "with_care"), (5001.0, "no")],
)
def test_corrected_counts_of_wide_intervals_say_little(high, usable):
    rows = judged(facts(*labels(), corrected=corrected(high=high))).loc["corrected"]
    assert set(rows["usable"]) == {usable}
    assert ("bounds differ by a factor of" in rows.iloc[0]["reason"]) == (usable != "yes")
    none = judged(facts(*labels(), corrected=corrected(low=0.0))).loc["corrected"]
    assert set(none["usable"]) == {"no"} and "without limit" in none.iloc[0]["reason"]


def test_nothing_is_corrected_where_nothing_was_found_or_the_image_is_spoilt():
    rows = judged(facts(*labels(), corrected=corrected(count=0))).loc["corrected"]
    assert set(rows["usable"]) == {"no"} and "nothing to correct" in rows.iloc[0]["reason"]
    bad = [quality("a", kinds=["inverted", "few_levels"])]
    table = judged(facts(*labels(), corrected=corrected(), quality=bad))
    assert set(table.loc["corrected", "usable"]) == {"no"}
    # What is spoilt is told once.
    assert "doubts" not in table.loc[("sites", ""), "reason"]


@pytest.mark.parametrize(
    ("recall", "usable"), [(0.9, "yes"), (0.89, "with_care"), (0.6, "with_care"), (0.59, "no")]
)
def test_raw_counts_go_by_the_recall_of_the_detector(recall, usable):
    table = judged(facts(*labels(), corrected=corrected(recall=recall)))
    assert set(table.loc["counts", "usable"]) | {table.loc[("sites", ""), "usable"]} == {usable}
    reason = table.loc[("counts", "notch"), "reason"]
    assert (f"finds {100 * recall:.0f} % [" in reason) == (usable != "yes")
    assert set(table.loc["corrected", "usable"]) == {"yes"}


def test_planted_voids_speak_where_no_site_was_found():
    planted = pd.DataFrame({"area_from_um2": [None, 0.1], "planted": [300, 9], "found": [147, 0]})
    table = judged(facts(*labels(), corrected=corrected(count=0, recall=1.0), detection=planted))
    assert table.loc[("sites", ""), "usable"] == "no"
    assert "147 of 300 planted voids" in table.loc[("sites", ""), "reason"]


@pytest.mark.parametrize(("missed", "usable"), [(2, "yes"), (3, "with_care"), (9, "no")])
def test_labelled_sites_that_the_detector_drops_speak_against_their_class(missed, usable):
    found = pd.DataFrame(
        {
            "label": [*("shadowing",) * 20, *("notch",) * 20],
            "site_id": [*range(-missed, 0), *range(20 - missed), *range(20)],
        }
    )
    table = judged(facts(*labels(), labels=found))
    assert table.loc[("counts", "shadowing"), "usable"] == usable
    assert table.loc[("counts", "notch"), "usable"] == "yes"
    told = f"of 20 labelled sites the detector finds {20 - missed}"
    assert (told in table.loc[("counts", "shadowing"), "reason"]) == (usable != "yes")


def test_maps_of_one_phase_may_not_be_used():
    def phases(*kinds):
        return [
            PhaseRecord.model_construct(
                panorama=f"p{place}",
                trained_on="simulated steel",
                caveats=tuple(SimpleNamespace(kind=kind) for kind in each),
            )
            for place, each in enumerate(kinds)
        ]

    row = ("phases", "")
    assert judged(facts(phases=phases(["one_phase"]))).loc[row, "usable"] == "no"
    assert judged(facts(phases=phases(["one_phase"], []))).loc[row, "usable"] == "with_care"


def test_corrected_counts_stand_below_the_raw_ones():
    known = facts(*labels())
    text = headline_text(known.densities, notes=[], corrected=corrected())
    assert "21 (1000 [500, 1500])" in text
    assert text.index("Raw counts") < text.index("21 (1000") < text.index("Corrected counts")
    many = corrected(panoramas="abcdefghijklm")
    assert "Corrected" not in headline_text(known.densities, notes=[], corrected=many)
    none = headline_text(known.densities, notes=[], corrected=corrected("too few labels"))
    assert "Corrected" not in none


def test_intervals_of_no_site_are_said_to_be_poisson():
    known = facts().densities.assign(
        block_low_per_mm2=0.0,
        block_high_per_mm2=9.0,
        block_note="no site: the bounds are those of a Poisson count",
    )
    assert "exact Poisson" in headline_text(known, notes=[])
    assert "from blocks" in headline_text(known.assign(block_note=""), notes=[])


def test_the_verdict_stands_before_the_numbers():
    known = facts(*labels(interface=3))
    table = verdict_table(known)
    lines = headline_text(known.densities, notes=[], verdict=table).splitlines()
    numbers = next(number for number, line in enumerate(lines) if line.startswith("panorama"))
    assert lines[0] == "Which numbers may be used:"
    assert any("no         counts of interface" in line for line in lines[:numbers])
    assert all(len(line) <= 100 for line in verdict_lines(table))


def test_many_panoramas_are_named_by_the_first():
    assert named("ab") == "a, b"
    assert named("abcde") == "5 panoramas (a, b, c, ...)"
    assert set(DAMAGE_MECHANISMS) < set(SITE_LABELS)
