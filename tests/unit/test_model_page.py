"""What is said to whoever is handed the networks: scores, and for whom they hold."""

import docutils.core
import numpy as np
import pandas as pd
import pytest
from made_records import model_card, panorama_record
from scipy import stats

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES
from damascene.contracts.scope import SCOPE
from damascene.contracts.table import check_table
from damascene.evaluation.agreement import agreement_table
from damascene.evaluation.model_page import model_page
from damascene.evaluation.scope import outside_of_sizes, scope_table
from damascene.evaluation.scores import confusion_table, score_table


def a_study(*, labelled=300, others=400, annotators=3, other_share=0.3, seed=0):
    """Return split, held-out answers, sites and answers of people; notches abound among others."""
    rng = np.random.default_rng(seed)
    label = rng.choice(SITE_CLASSES, labelled)
    names = [f"person_{index}" for index in range(annotators)]
    said = np.where(
        rng.random((labelled, annotators)) < 0.8, label[:, None], rng.choice(SITE_CLASSES, 1)
    )
    split = pd.DataFrame(
        {
            "panorama": "pan_",
            "site_id": np.arange(labelled),
            "label": label,
            "annotator": "|".join(names),
            "answers": ["|".join(row) for row in said],
            "group": np.arange(labelled) // 10,
            "fold": 0,
        }
    )
    split["group"] = "g" + split["group"].astype(str)
    predicted = np.where(rng.random(labelled) < 0.7, label, rng.choice(SITE_CLASSES, labelled))
    count = labelled + others
    called = rng.choice(
        ["notch", *SITE_CLASSES[2:]], others, p=[1 - other_share, *[other_share / 3] * 3]
    )
    sites = pd.DataFrame(
        {
            "panorama": "pan_",
            "site_id": np.arange(count),
            "equivalent_diameter_um": np.r_[
                np.linspace(1, 2, labelled), np.linspace(0.5, 2, others)
            ],
            "label": [*label, *[""] * others],
            "predicted_class": [*predicted, *called],
        }
    )
    answers = pd.DataFrame(
        [
            ("pan_", site, name, answer)
            for site, row in enumerate(said)
            for name, answer in zip(names, row, strict=True)
        ],
        columns=["panorama", "site_id", "annotator", "answer"],
    ).assign(counts=True, order=0)
    answers = answers.assign(decides=False)
    return split, split.assign(predicted_class=predicted), [sites], answers


def page_of(study, **changes):
    split, predictions, sites, answers = study
    answered = pd.MultiIndex.from_frame(answers[["panorama", "site_id"]].drop_duplicates())
    groups = pd.Series(answered.get_level_values("site_id") // 10, index=answered).astype(str)
    predicted = predictions.set_index(["panorama", "site_id"])["predicted_class"]
    classes = predictions["label"], predictions["predicted_class"]
    options = {"groups": predictions["group"], "confidence": 0.95}
    scope = scope_table(split, predictions, sites, confidence=0.95)
    facts = {
        "cards": {
            "inclusion": model_card(("inclusion", "rest")),
            "damage": model_card(DAMAGE_CLASSES),
        },
        "split": split,
        "scores": score_table(*classes, **options),
        "confusion": confusion_table(*classes, **options),
        "agreement": agreement_table(answers, predicted=predicted, groups=groups, confidence=0.95),
        "scope": scope,
        "outside": outside_of_sizes(split, sites, scope),
        "records": [panorama_record("pan_", pixel_size_nm=50.0)],
        "confidence": 0.95,
        "group_by": "block",
        "block": "40 um",
        "tested": "all 5 folds",
        "doubts": [],
        "trained_here": True,
        "refits_last_layers": True,
    }
    page = model_page(**facts | changes)
    # Names such as `pan_` are no references: docutils stops at the first complaint.
    docutils.core.publish_string(page, writer="html", settings_overrides={"halt_level": 2})
    return page


def test_labelled_sites_that_took_no_part_are_told():
    """All 300 labelled sites test; those too near to sites that validate do not train."""
    counts = {
        "train": dict.fromkeys(SITE_CLASSES, 40),
        "validation": dict.fromkeys(SITE_CLASSES, 10),
    }
    card = model_card(DAMAGE_CLASSES).model_copy(update={"class_counts": counts})
    page = page_of(a_study(), cards={"inclusion": card, "damage": card})
    assert "trained on 250 labelled sites" in page and "windows of the other 50 overlap" in page
    assert "300 labelled sites train and test" in page
    elsewhere = page_of(a_study(), cards={"damage": card}, trained_here=False)
    assert "trained on 250" in elsewhere and "overlap those" not in elsewhere


def test_shares_are_those_of_labels_and_of_candidates_without_one():
    split, predictions, sites, _ = a_study()
    scope = check_table(scope_table(split, predictions, sites, confidence=0.95), SCOPE, source="")
    rows = scope.set_index("class")
    others = sites[0][sites[0]["label"] == ""]["predicted_class"]
    for name in SITE_CLASSES:
        assert rows.loc[name, "labels"] == (split["label"] == name).sum()
        assert rows.loc[name, "others"] == (others == name).sum()
        exact = stats.binomtest(int((others == name).sum()), len(others)).proportion_ci(0.95)
        assert rows.loc[name, "other_share_low"] == pytest.approx(exact.low, abs=1e-9)
    for share in ("label_share", "answered_share", "other_share"):
        assert rows.loc[list(SITE_CLASSES), share].sum() == pytest.approx(1)
    # 70 % of the others are notches, a fifth of the labelled sites.
    assert rows.loc["notch", "differs"] and not rows.loc["not_classified", "differs"]
    below, above = outside_of_sizes(split, sites, scope)
    assert below == pytest.approx((1.05 - 0.5) / 1.5, abs=0.01)
    assert above == pytest.approx(0.05 / 1.5, abs=0.01)


def test_alike_labels_and_candidates_are_not_said_to_differ():
    split, predictions, sites, answers = a_study(labelled=300, others=0)
    twin = sites[0].assign(site_id=sites[0]["site_id"] + 1000, label="")
    both = [pd.concat([sites[0], twin])]
    scope = scope_table(split, predictions, both, confidence=0.95)
    assert not scope["differs"].any()
    page = page_of((split, predictions, both, answers))
    assert "No class differs clearly" in page and "Few labels test" not in page
    assert "All candidates have a label" in page_of((split, predictions, sites, answers))


def test_the_page_says_for_whom_the_scores_hold():
    page = page_of(a_study())
    assert "These differ clearly" in page and "not for those of the panoramas" in page
    assert "**Few labels test the small ones:**" in page
    assert "3 annotators" in page and "the one left out reaches a macro-F1" in page
    assert "eeracn" in page and "pixels of 40 to 50 nm" in page


@pytest.mark.parametrize(
    "annotators, said", [(1, "One person labelled"), (2, "which takes three annotators")]
)
def test_fewer_than_three_annotators_are_not_compared_with_networks(annotators, said):
    page = page_of(a_study(annotators=annotators))
    assert said in page and "The networks less the person" not in page


def test_people_who_never_answered_the_same_site_are_not_compared():
    split, predictions, sites, answers = a_study(annotators=2)
    first = answers["annotator"].min()
    apart = answers["annotator"].eq(first) == (answers["site_id"] < 150)
    page = page_of((split, predictions, sites, answers[apart]))
    assert "No two annotators answered the same site" in page
    # On one site alone, agreement has a value and kappa none.
    one = apart | answers["site_id"].eq(7)
    page = page_of((split, predictions, sites, answers[one]))
    assert "Two annotators give" in page and "nan" not in page


def test_missing_classes_other_pixels_and_doubts_are_told():
    split, predictions, sites, answers = a_study()
    kept = split["label"] != "shadowing"
    some = split[kept], predictions[kept], sites, answers
    coarse = panorama_record("coarse", pixel_size_nm=80.0)
    page = page_of(some, records=[coarse], doubts=["Nobody knows."], trained_here=False)
    assert "Nothing is known of the scores of shadowing" in page
    assert "another size (``coarse``)" in page and "Nobody knows." in page
    assert "were trained elsewhere" in page


def test_few_groups_and_the_note_of_both_networks_are_told_once():
    note = "They learned from simulated steel."
    cards = {"inclusion": ("inclusion", "rest"), "damage": DAMAGE_CLASSES}
    cards = {stage: model_card(classes, note=note) for stage, classes in cards.items()}
    page = page_of(a_study(labelled=10), cards=cards)
    assert page.count(note) == 1
    assert "The inclusion and the damage network are each ``eeracn``" in page
    assert "in 1 group (" in page and "at 95 % confidence" in page
    assert page.count("too few groups for an interval") == 1
    assert "too few groups for an interval" not in page_of(a_study())
