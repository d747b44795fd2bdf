"""Curves, agreement of annotators, scores against labels, and mistakes."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from statsmodels.stats import inter_rater

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES, SITE_LABELS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import empty_table
from damascene.evaluation.agreement import agreement_table, answer_table, fleiss_kappa
from damascene.evaluation.curves import area_table, curve_table
from damascene.evaluation.learning_curve import PROPORTIONS, learning_curve, thinned_roles
from damascene.evaluation.mistakes import worst_mistakes
from damascene.figures.annotators import draw_annotators
from damascene.figures.evaluation import draw_curves, draw_learning_curve, draw_mistakes
from damascene.figures.style import save_figure
from damascene.labels.votes import choose_labels


def ranked(count=200, seed=0):
    """Probabilities that know something of the targets."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, 4, count)
    scores = rng.uniform(0, 1, (count, 5)) + 0.7 * np.eye(5)[targets]
    return scores / scores.sum(axis=1, keepdims=True), targets


def test_areas_are_those_of_scikit_learn_and_of_the_curves():
    probabilities, targets = ranked()
    groups = np.arange(len(targets)) // 10
    areas = area_table(probabilities, targets, groups=groups, confidence=0.9)
    areas = areas.set_index(["class", "score"])
    curves = curve_table(probabilities, targets)
    for index, name in enumerate(SITE_CLASSES[:4]):
        own = targets == index
        auc = areas.loc[(name, "roc_auc")]
        precision = areas.loc[(name, "average_precision")]
        assert auc["value"] == metrics.roc_auc_score(own, probabilities[:, index])
        assert precision["value"] == metrics.average_precision_score(own, probabilities[:, index])
        assert auc["low"] < auc["value"] < auc["high"] and auc["sites"] == own.sum()
        points = curves[(curves["class"] == name) & (curves["curve"] == "roc")]
        assert np.trapezoid(points["y"], points["x"]) == pytest.approx(auc["value"])
    # Nobody labelled the last class.
    assert np.isnan(areas.loc[(SITE_CLASSES[4], "roc_auc")]["value"])
    assert SITE_CLASSES[4] not in set(curves["class"])


def test_intervals_grow_where_sites_of_a_group_repeat_each_other():
    probabilities, targets = ranked(60)
    repeated = np.repeat(probabilities, 5, axis=0), np.repeat(targets, 5)
    widths = []
    for groups in (np.arange(300), np.arange(300) // 5):
        table = area_table(*repeated, groups=groups, confidence=0.95)
        widths.append((table["high"] - table["low"]).mean())
    assert widths[1] > 1.5 * widths[0]


def kappa_of_all(answered):
    """Return Fleiss' kappa, with each site a group."""
    return fleiss_kappa(answered, pd.Series(answered.index.astype(str)), confidence=0.95)


def test_fleiss_kappa_of_the_published_example():
    """Ten subjects, fourteen raters, five categories: the example of Fleiss, kappa 0.21."""
    counts = """0 0 0 0 14  0 2 6 4 2  0 0 3 5 6  0 3 9 2 0  2 2 8 1 1
                7 7 0 0 0  3 2 6 3 0  2 5 3 2 2  6 5 2 1 0  0 2 2 3 7"""
    answered = [
        np.repeat(np.arange(5), row) for row in np.array(counts.split(), int).reshape(10, 5)
    ]
    found = kappa_of_all(pd.DataFrame(answered).astype(str))
    assert found["value"] == pytest.approx(0.20993, abs=1e-5)


def test_fleiss_kappa_without_a_chance_to_disagree_is_missing():
    for answered in ([["notch"] * 3] * 4, [["notch", ""], ["", "interface"]]):
        found = kappa_of_all(pd.DataFrame(answered))
        assert np.isnan([found[name] for name in ("value", "low", "high")]).all()


def given_answers(said, panorama="a"):
    """Return the answers of a table of sites and annotators, empty where there is none."""
    rows = [
        {"panorama": panorama, "site_id": site, "annotator": name, "answer": answer}
        for site, row in enumerate(np.asarray(said))
        for name, answer in zip("abcdefgh", row, strict=False)
        if answer
    ]
    table = pd.DataFrame(rows, columns=["panorama", "site_id", "annotator", "answer"])
    told = {"counts": True, "agreed": "", "decides": False, "x_px": 1.0, "y_px": 1.0}
    return table.assign(order=np.arange(len(table)), **told)


def agreement(answers, predicted=None, **options):
    """Return the agreement of answers, by comparison and score, with five sites a group."""
    sites = pd.MultiIndex.from_frame(answers[["panorama", "site_id"]].drop_duplicates())
    groups = pd.Series(sites.get_level_values("site_id") // 5, index=sites).astype(str)
    if predicted is None:
        predicted = pd.Series("notch", index=sites)
    options = {"groups": groups, "confidence": 0.95} | options
    table = agreement_table(answers, predicted=predicted, **options)
    return table.set_index(["comparison", "score"])


def test_agreement_of_pairs_and_of_one_against_the_others():
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 5, 150)
    said = np.where(rng.uniform(size=(150, 3)) < 0.7, truth[:, None], rng.integers(0, 5, (150, 3)))
    names = np.array(SITE_CLASSES, dtype=object)[said]
    names[:10, 2] = ["", "unclear"] * 5
    answers = given_answers(names)
    names[:10, 2] = ""
    said[:10, 2] = -1
    assert np.array_equal(answer_table(answers), names)
    sites = pd.MultiIndex.from_product([["a"], range(150)], names=["panorama", "site_id"])
    guessed = np.array(SITE_CLASSES, dtype=object)[np.roll(said[:, 1], 1)]
    table = agreement(answers, predicted=pd.Series(guessed, index=sites))
    both = (said[:, 0] >= 0) & (said[:, 2] >= 0)
    kappa = metrics.cohen_kappa_score(said[both, 0], said[both, 2])
    assert table.loc[("pair 1-3", "kappa"), "value"] == pytest.approx(kappa)
    assert table.loc[("pair 1-3", "kappa"), "sites"] == 140
    assert table.loc[("pair 1-3", "kappa"), "annotators"] == "a, c"
    assert table.loc[("pair 1-2", "agreement"), "value"] == np.mean(said[:, 0] == said[:, 1])
    agreed = (said[:, 0] == said[:, 1]) & (said[:, 2] >= 0)
    f1 = metrics.f1_score(said[agreed, 0], said[agreed, 2], average="macro")
    row = table.loc[("3 against others", "macro_f1")]
    assert row["value"] == pytest.approx(f1) and row["low"] <= f1 <= row["high"]
    # The networks answer the very sites that the third annotator is scored on.
    f1 = metrics.f1_score(names[agreed, 0], guessed[agreed], average="macro")
    assert table.loc[("networks for 3", "macro_f1"), "value"] == pytest.approx(f1)
    assert table.loc[("networks for 3", "macro_f1"), "sites"] == agreed.sum()
    less = table.loc[("networks minus 3", "macro_f1")]
    assert less["value"] == pytest.approx(f1 - row["value"]) and less["low"] <= less["value"]
    # All annotators left out in turn, below each other.
    truths, left = [], []
    for one, (first, second) in enumerate(((1, 2), (0, 2), (0, 1))):
        same = (said[:, first] == said[:, second]) & (said[:, [one, first]] >= 0).all(axis=1)
        truths.append(names[same, first]), left.append(names[same, one])
    truths, left = np.concatenate(truths), np.concatenate(left)
    row = table.loc[("all against others", "agreement")]
    assert row["sites"] == len(truths) and row["value"] == pytest.approx((truths == left).mean())
    # Where they classified only some of them, both are scored on these.
    table = agreement(answers, predicted=pd.Series(guessed[:60], index=sites[:60]))
    for comparison in ("3 against others", "networks for 3"):
        assert table.loc[(comparison, "kappa"), "sites"] == agreed[:60].sum()


@pytest.mark.parametrize("annotators", [2, 3])
def test_kappa_is_that_of_all_answers_whether_a_majority_agrees_or_not(annotators):
    """The true kappa of a simulated crowd, which a choice of sites with a majority exceeds."""
    rng = np.random.default_rng(11)
    sites, right = 4000, 0.75
    truth = rng.integers(0, 5, sites)
    sure = rng.uniform(size=(sites, annotators)) < right
    said = np.where(sure, truth[:, None], rng.integers(0, 5, (sites, annotators)))
    # Two of them say the same if both are right, or by chance.
    kappa = right**2
    names = np.array(SITE_CLASSES, dtype=object)[said]
    answers = given_answers(names)
    empty = {"a": empty_table(CANDIDATES)}
    labels = choose_labels(answers.assign(file="", row=0), empty)
    assert len(labels) < 0.95 * sites
    scored = agreement(answers)
    table = scored["value"]
    assert table["pair 1-2", "kappa"] == pytest.approx(kappa, abs=0.03)
    assert table["pair 1-2", "kappa"] == pytest.approx(
        metrics.cohen_kappa_score(said[:, 0], said[:, 1])
    )
    counts, _ = inter_rater.aggregate_raters(said)
    fleiss = inter_rater.fleiss_kappa(counts)
    assert table["all", "fleiss_kappa"] == pytest.approx(fleiss)
    assert fleiss == pytest.approx(kappa, abs=0.03)
    # Of two annotators it is nearly Cohen's kappa, and as uncertain; of three less so.
    of_pair, of_all = (scored.loc[key] for key in (("pair 1-2", "kappa"), ("all", "fleiss_kappa")))
    assert of_all["low"] < fleiss < of_all["high"] and of_all["groups"] == sites // 5
    widths = [row["high"] - row["low"] for row in (of_all, of_pair)]
    assert widths[0] == pytest.approx(widths[1] * (1 if annotators == 2 else 0.8), rel=0.1)
    # What it would be on the sites with a label.
    kept = said[labels["site_id"]]
    assert metrics.cohen_kappa_score(kept[:, 0], kept[:, 1]) > kappa + 0.05


def test_one_person_who_answers_twice_is_one_annotator():
    first, second = ["notch", "notch", "interface", "martensite"], ["notch"] * 4
    twice = pd.concat([given_answers([[each] for each in said]) for said in (first, second)])
    twice = twice.assign(order=range(8), counts=[False] * 4 + [True] * 4)
    table = agreement(twice)
    assert set(table.index.get_level_values("comparison")) == {"1 again"}
    row = table.loc[("1 again", "agreement")]
    assert row["value"] == 0.5 and row["sites"] == 4 and row["annotators"] == "a"


def test_one_annotator_agrees_with_nobody():
    assert agreement(given_answers([["notch"], ["martensite"]])).empty
    assert agreement_table(
        given_answers([]), predicted=pd.Series(), groups=pd.Series(), confidence=0.9
    ).empty


def labelled(count=240, seed=0):
    rng = np.random.default_rng(seed)
    split = pd.DataFrame(
        {
            "label": np.resize(SITE_CLASSES, count),
            "group": [f"g{index}" for index in rng.integers(0, 40, count)],
        }
    )
    split["fold"] = split["group"].str[1:].astype(int) % 3
    roles = {
        fold: np.where(split["fold"] == fold, "test", "train").astype(object) for fold in range(3)
    }
    return split, roles


def test_thinned_labels_are_nested_whole_groups_with_every_class():
    split, roles = labelled()
    before = None
    for proportion in PROPORTIONS:
        thinned = thinned_roles(split, roles, proportion=proportion, seed=4)
        learned = {fold: of_fold == "train" for fold, of_fold in thinned.items()}
        for fold, rows in learned.items():
            assert ((thinned[fold] == "test") == (roles[fold] == "test")).all()
            assert set(split["label"][rows]) == set(SITE_CLASSES)
            groups = set(split["group"][rows])
            assert not groups & set(split["group"][(thinned[fold] == "excluded")])
            if before:
                assert (rows | ~before[fold]).all()
        before = learned
    assert all((before[fold] == (roles[fold] == "train")).all() for fold in roles)


def test_scores_rise_with_labels_where_there_is_something_to_learn():
    split, roles = labelled()
    rng = np.random.default_rng(1)
    codes = np.array([SITE_CLASSES.index(name) for name in split["label"]])
    features = rng.normal(0, 1, (len(split), 1, 12)) + 1.2 * np.eye(5, 12)[codes][:, None]
    table = learning_curve(
        split, features, roles, classifiers=["logistic_regression"], repeats=3, seed=0
    )
    assert table.groupby("share").size().tolist() == [3, 3, 3, 3, 1]
    middle = table.groupby("share")[["labels", "macro_f1", "kappa"]].mean()
    assert middle["labels"].is_monotonic_increasing and middle["labels"].iloc[-1] == 160
    assert middle["macro_f1"].iloc[-1] > middle["macro_f1"].iloc[0] + 0.05


def predicted(count=30):
    rng = np.random.default_rng(0)
    damage = rng.dirichlet(np.ones(4), count)
    return pd.DataFrame(
        {
            "panorama": "p",
            "x_px": np.arange(count, dtype=float),
            "y_px": 5.0,
            "label": np.resize(SITE_CLASSES, count),
            "predicted_class": rng.choice(SITE_LABELS, count),
            "answers": np.resize(SITE_CLASSES, count),
            "site_id": np.arange(count),
            "clip_x_px": 1.0,
            "clip_y_px": 2.0,
            "p_inclusion": rng.uniform(0, 1, count),
            **{f"p_{name}": damage[:, index] for index, name in enumerate(DAMAGE_CLASSES)},
        }
    )


def test_mistakes_are_all_there_and_the_surest_come_first():
    predictions = predicted()
    mistakes = worst_mistakes(predictions)
    joined = predictions[["p_inclusion"]].copy()
    joined.columns = ["inclusion"]
    for name in DAMAGE_CLASSES:
        joined[name] = (1 - predictions["p_inclusion"]) * predictions[f"p_{name}"]
    most = predictions["predicted_class"]
    wrong = predictions.index[(most != predictions["label"]) & (most != "not_classified")]
    assert sorted(mistakes["site_id"]) == sorted(wrong)
    assert mistakes["probability"].is_monotonic_decreasing
    for site in mistakes.itertuples():
        assert site.predicted_class == most[site.site_id] != site.label
        assert site.probability == pytest.approx(joined.loc[site.site_id, site.predicted_class])
        assert site.p_label == pytest.approx(joined.loc[site.site_id, site.label])
    right = predictions[most == predictions["label"]]
    assert worst_mistakes(right).empty


def test_figures_hold_what_the_tables_say(tmp_path):
    probabilities, targets = ranked()
    areas = area_table(probabilities, targets, groups=np.arange(len(targets)), confidence=0.9)
    figure = draw_curves(curve_table(probabilities, targets), areas)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert len(shown) == 4 and f"{areas['value'][0]:.2f}" in " ".join(shown)
    save_figure(figure, tmp_path / "a.svg", tmp_path / "a.png")
    # Area and drawing are of the same steps, from one recall down to the next.
    drawn = next(line for line in figure.axes[1].lines if line.get_label().startswith("notch"))
    recall, precision = drawn.get_data()
    assert drawn.get_drawstyle() == "steps-post"
    average = areas.set_index(["class", "score"])["value"]["notch", "average_precision"]
    assert -np.sum(np.diff(recall) * precision[:-1]) == pytest.approx(average)
    few = area_table(probabilities, targets, groups=np.arange(len(targets)) % 2, confidence=0.9)
    figure = draw_curves(curve_table(probabilities, targets), few)
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert all("too few groups: 2" in text for text in shown)
    split, roles = labelled()
    rng = np.random.default_rng(1)
    table = learning_curve(
        split,
        rng.normal(0, 1, (len(split), 1, 6)),
        roles,
        classifiers=["logistic_regression"],
        repeats=2,
        seed=0,
    )
    networks = pd.DataFrame(
        {"class": "all", "score": ["macro_f1", "kappa"], "value": 0.5, "low": 0.4, "high": 0.6}
    )
    for answers, bands in ([["notch"]], 0), ([["notch"] * 3], 2):
        compared = agreement(given_answers(answers)).reset_index()
        figure = draw_learning_curve(table, networks=networks, agreement=compared)
        assert figure.axes[0].get_ylabel() == "Macro-F1"
        assert len(figure.axes[0].patches) == bands
        _, names = figure.axes[0].get_legend_handles_labels()
        assert sum("annotator" in name for name in names) == bands
    save_figure(figure, tmp_path / "b.svg", tmp_path / "b.png")
    mistakes = worst_mistakes(predicted()).head(7)
    figure = draw_mistakes(np.zeros((7, 9, 9), np.uint8), mistakes, window_um=5)
    assert sum(bool(axes.get_images()) for axes in figure.axes) == 7
    figure = draw_mistakes(np.zeros((0, 9, 9), np.uint8), mistakes.head(0), window_um=5)
    assert "no mistakes" in [text.get_text() for axes in figure.axes for text in axes.texts]


def test_annotators_are_drawn_beside_the_networks_where_there_are_three():
    rng = np.random.default_rng(5)
    said = np.array(SITE_CLASSES, dtype=object)[
        np.where(
            rng.random((90, 3)) < 0.8, rng.integers(0, 5, (90, 1)), rng.integers(0, 5, (90, 3))
        )
    ]
    figure = draw_annotators(agreement(given_answers(said)).reset_index())
    assert [text.get_text().split("\n")[0] for text in figure.axes[0].get_yticklabels()] == [
        *("a", "b", "c", "all together")
    ]
    assert len(figure.axes) == 4
    pair = draw_annotators(agreement(given_answers(said[:, :2])).reset_index())
    assert "takes three annotators" in pair.axes[0].texts[0].get_text()
    alone = draw_annotators(agreement(given_answers(said[:, :1])).reset_index())
    assert "One person labelled" in alone.axes[0].texts[0].get_text()
