"""What new labels changed, against numbers worked out by other means."""

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from made_records import panorama_record
from scipy import stats

from damascene.classes import DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.config.study import Study
from damascene.contracts.label_history import LABEL_EFFECT
from damascene.contracts.table import check_table
from damascene.evaluation.label_effect import (
    NOTHING_BEFORE,
    common_sites,
    difference_apart,
    effect_lines,
    label_effect,
)
from damascene.evaluation.label_state import (
    LabelState,
    block_counts,
    label_state,
    other_changes,
    paths_of,
    state_before,
)
from damascene.evaluation.scores import score_difference, score_table
from damascene.figures.label_effect import draw_label_effect

EDGE = 800


def held_out(*, seed=1, sites=120, right=0.7, moved=0.0, first=0):
    """Return labelled sites with answers, right as often as told."""
    rng = np.random.default_rng(7)
    truth = rng.choice(SITE_CLASSES, sites)
    places = rng.uniform(0, EDGE - 1, (sites, 2)) + moved
    rng = np.random.default_rng(seed)
    predicted = np.where(rng.uniform(size=sites) < right, truth, rng.choice(SITE_CLASSES, sites))
    table = pd.DataFrame(
        {
            "panorama": "a",
            "site_id": np.arange(sites) + first,
            "label": truth,
            "annotator": "ada",
            "answers": truth,
            "group": (places[:, 0] // 100).astype(int).astype(str),
            "fold": 0,
            "predicted_class": predicted,
            "p_inclusion": 0.5,
            **{f"p_{name}": 0.25 for name in SITE_CLASSES[1:]},
        }
    )
    for place, axis in enumerate("xy"):
        table[f"{axis}_px"] = table[f"clip_{axis}_px"] = places[:, place].clip(0)
    return table


def corrected(sites, *, factor=1.1):
    """Return counts of a table of sites, corrected by a factor."""
    rows = []
    for name in (*SITE_CLASSES, DAMAGE, "all"):
        members = {DAMAGE: DAMAGE_MECHANISMS, "all": SITE_CLASSES}.get(name, (name,))
        count = int(sites["class"].isin(members).sum())
        raw = {"density_per_mm2": 1.0, "low_per_mm2": 0.8, "high_per_mm2": 1.3}
        told = {key: value * count for key, value in raw.items()}
        told |= {f"corrected_{key}": factor * value for key, value in told.items()}
        rows.append(told | {"panorama": "a", "class": name, "count": count, "confidence": 0.95})
    texts = ("condition", "method", "note", "not_estimated")
    return (
        pd.DataFrame(rows)
        .assign(**dict.fromkeys(texts, ""))
        .reindex(
            columns=[
                *("panorama", "strain_percent", "condition", "class", "count", "density_per_mm2"),
                *("low_per_mm2", "high_per_mm2", "corrected_count", "corrected_density_per_mm2"),
                *("corrected_low_per_mm2", "corrected_high_per_mm2", "method", "labelled"),
                *("acc_count", "pacc_count", "emq_count", "recall", "recall_low", "recall_high"),
                *("note", "not_estimated", "confidence"),
            ]
        )
    )


def state(table=None, *, sites=None, labels=None, config=(), minute=0, **record):
    """Return the state of a study of one panorama of 1 mm²."""
    table = held_out() if table is None else table
    if sites is None:
        sites = table.rename(columns={"predicted_class": "class"})
    one = panorama_record("a", shape=(EDGE, EDGE), pixel_size_nm=40)
    one = one.model_copy(update={"valid_area_mm2": 1.0} | record)
    return label_state(
        table if labels is None else labels,
        table,
        corrected(sites),
        iter([sites]),
        [one],
        configuration=Study(**dict(config)).model_dump(exclude={"labels"}),
        library="1",
        confidence=0.95,
        now=datetime(2026, 5, 1, 10, minute, tzinfo=UTC),
    )


def rows(before, after):
    table = label_effect(before, after)
    check_table(table, LABEL_EFFECT, source="test")
    return table.set_index(["quantity", "panorama", "class", "score"])


def test_the_first_labels_have_nothing_to_be_compared_with():
    first = state()
    table = label_effect(None, first)
    assert set(table["note"]) == {NOTHING_BEFORE}
    assert table[["before", "difference", "difference_low", "sites"]].isna().all(axis=None)
    assert table["after"].notna().all()
    assert effect_lines(None, first, table) == [
        f"There are {NOTHING_BEFORE}: the next labels will be held against these."
    ]


def test_scores_are_compared_on_common_sites_alone():
    before = state(held_out(seed=1, right=0.6))
    after = state(held_out(seed=2, right=0.9, sites=120, first=500, moved=2.0), minute=1)
    table = rows(before, after)
    now, old = after.held_out, before.held_out
    paired = score_difference(
        *(now["label"], now["predicted_class"], old["predicted_class"]),
        groups=now["group"],
        confidence=0.95,
    ).set_index("score")
    own = score_table(
        now["label"], now["predicted_class"], groups=now["group"], confidence=0.95
    ).set_index(["class", "score"])
    for score in ("macro_f1", "kappa", "accuracy"):
        row = table.loc["score", "", "all", score]
        told = row[["difference", "difference_low", "difference_high"]].tolist()
        assert told == pytest.approx(paired.loc[score, ["value", "low", "high"]].tolist())
        assert row["after"] == pytest.approx(own.loc[("all", score), "value"])
        assert row["sites"] == 120 and row["interval"] == "paired"
        assert row["difference"] > 0.1 and row["difference_low"] > 0
    # Of one class the difference is that of its own F1.
    one = table.loc["score", "", "notch", "f1"]
    assert one["difference"] == pytest.approx(one["after"] - one["before"])


def test_labels_that_were_corrected_judge_both_answers():
    before, table = held_out(right=1.0), held_out(right=1.0)
    changed = table["label"] == "notch"
    table.loc[changed, "label"] = "interface"
    found = rows(state(before), state(table, minute=1))
    # Both say what the labels said before: neither is better by the new ones.
    row = found.loc["score", "", "all", "accuracy"]
    assert row["difference"] == 0 and row["after"] < row["before"] == 1
    assert row["note"] == "no answer changed" and row["interval"] == ""


def test_only_sites_at_one_place_are_common():
    now = held_out(sites=60)
    common = common_sites(state(now[20:].assign(site_id=range(40))), state(now))
    assert common["site_id"].tolist() == list(range(20, 60))
    far = held_out(sites=40, moved=300.0)
    assert len(common_sites(state(far), state(now))) < 5
    apart = rows(state(far.assign(clip_x_px=-1e6)), state(now, minute=1))
    row = apart.loc["score", "", "all", "macro_f1"]
    assert row["sites"] == 0 and row["note"].startswith("no site was held out")
    assert np.isnan(row["difference"])


def test_one_common_site_compares_nothing():
    now = held_out(sites=60)
    before, after = state(now[:1]), state(now, minute=1)
    table = label_effect(before, after)
    scores = table[(table["quantity"] == "score") & (table["class"] == "all")]
    assert (scores["sites"] == 1).all() and scores["difference"].isna().all()
    assert scores["note"].str.startswith("fewer than 5 sites").all()
    assert "Scores are not compared" in " ".join(effect_lines(before, after, table))


def test_the_interval_of_a_raw_density_is_that_of_its_blocks():
    old = held_out(sites=400, right=1.0).rename(columns={"predicted_class": "class"})
    new = old.copy()
    rng = np.random.default_rng(3)
    new.loc[rng.uniform(size=400) < 0.2, "class"] = "notch"
    table = rows(state(sites=old), state(sites=new, minute=1))
    for name in ("notch", DAMAGE):
        classes = DAMAGE_MECHANISMS if name == DAMAGE else (name,)
        counts = [
            np.histogram2d(
                *each[["y_px", "x_px"]].to_numpy().T + 0.5, bins=8, range=[[0, EDGE]] * 2
            )[0]
            for each in (part[part["class"].isin(classes)] for part in (old, new))
        ]
        change = (counts[1] - counts[0]).ravel()
        low, high = stats.t.interval(
            0.95, 63, loc=change.sum(), scale=64 * stats.sem(change, ddof=1)
        )
        row = table.loc["density", "a", name, ""]
        assert row["difference"] == change.sum()
        assert [row["difference_low"], row["difference_high"]] == pytest.approx([low, high])
    unchanged = rows(state(sites=old), state(sites=old, minute=1))
    row = unchanged.loc["density", "a", "notch", ""]
    assert row["difference"] == 0 and row["note"] == "no site changed its class"


def test_a_difference_apart_is_that_of_independent_normal_numbers():
    half = stats.norm.ppf(0.975) * np.array([3.0, 4.0])
    found = difference_apart(10, 10 - half[0], 10 + half[0], 12, 12 - half[1], 12 + half[1])
    low, high = stats.norm.interval(0.95, loc=2, scale=5)
    assert [found["difference_low"], found["difference_high"]] == pytest.approx([low, high])
    assert "note" in difference_apart(10, np.nan, np.nan, 12, 11, 13)


def test_a_panorama_that_was_not_counted_or_not_there_has_no_difference():
    before, after = state(), state(minute=1)
    before.corrected.loc[before.corrected["class"] == "notch", "corrected_density_per_mm2"] = None
    table = rows(before, after)
    assert "not estimated" in table.loc["corrected density", "a", "notch", ""]["note"]
    gone = dataclasses.replace(before, corrected=before.corrected.assign(panorama="b"))
    assert (rows(gone, after).loc["density", "note"].str.contains("not estimated")).all()


def test_blocks_hold_every_site_once():
    sites = pd.DataFrame({"panorama": "a", "class": "notch", "x_px": [0.0, 99.4, 99.49, -0.5]})
    table = block_counts(sites.assign(y_px=[0.0, 49.4, 49.49, -0.5]), width_px=100, height_px=50)
    assert table[["row", "column", "count"]].to_numpy().tolist() == [[0, 0, 2], [7, 7, 2]]


def test_a_state_is_read_as_it_was_written_and_the_latest_other_one_is_compared(tmp_path):
    paths = [tmp_path / f"{name}.json" for name in ("now", "older", "old")]
    for minute, path in zip((5, 1, 3), paths, strict=True):
        state(minute=minute).write(path)
    assert all(path.exists() for path in paths_of(paths[0]))
    (tmp_path / ".partial.x.json").write_text("half")
    before = state_before(paths[0])
    assert before.record.written == "2026-05-01T10:03:00+00:00"
    # These labels again are another state of the same name, never the one before.
    state(minute=9).write(paths[0])
    assert state_before(paths[0]).record == before.record
    again = LabelState.read(paths[2])
    pd.testing.assert_frame_equal(again.held_out, before.held_out)
    for path in paths_of(paths[1]) + paths_of(paths[2]):
        path.unlink()
    assert state_before(paths[0]) is None


def test_what_else_changed_is_said_beside_the_numbers():
    before = state()
    after = state(config={"seed": 5, "study": "other", "data_folder": "/x"}, minute=1)
    assert other_changes(before.record, after.record) == ["seed"]
    after = state(pixel_size_nm=50.0, minute=1)
    assert other_changes(before.record, after.record) == [
        "images, their pixel size or valid area (a)"
    ]
    newer = after.record.model_copy(update={"library": "2", "panoramas": {}})
    told = other_changes(before.record, newer)
    assert "the version of the workflow (1, now 2)" in told
    assert "panoramas in the sample sheet (a)" in told
    lines = effect_lines(before, after, label_effect(before, after))
    assert any("not those of the labels alone" in line for line in lines)
    assert not any("cross_validate" in line for line in lines)
    one_fold = (("split", {"cross_validate": False}),)
    few = state(held_out()[:30], labels=held_out(), minute=1, config=one_fold)
    lines = effect_lines(before, few, label_effect(before, few))
    assert any("cross_validate" in line for line in lines)
    settings = few.record.settings | {"split.cross_validate": "true"}
    crossed = few.record.model_copy(update={"settings": settings})
    few = dataclasses.replace(few, record=crossed)
    lines = effect_lines(before, few, label_effect(before, few))
    assert not any("'split: cross_validate" in line for line in lines)
    assert not any(
        "alone" in line for line in effect_lines(before, state(), label_effect(before, state()))
    )


def test_the_figure_shows_before_and_after():
    before, after = state(held_out(right=0.5)), state(held_out(seed=2, right=0.9), minute=1)
    table = label_effect(before, after)
    figure = draw_label_effect(table, effect_lines(before, after, table))
    _, scores, differences, raw, of_corrected = figure.axes
    assert raw.get_title(loc="left") == "a" and not of_corrected.get_title(loc="left")
    assert "120 sites\nheld out both times" in differences.get_xlabel()
    # Both signs have as much room, and every interval is in the axes.
    told = table[table["difference_low"].notna()]
    for quantity, axes in (("score", differences), ("density", raw)):
        low, high = axes.get_xlim()
        own = told[told["quantity"] == quantity]
        own = own[(quantity != "score") | ~own["score"].eq("balanced_accuracy")]
        assert low == -high and high > own[["difference_low", "difference_high"]].abs().max().max()
    assert 0 < scores.get_xlim()[0] < 1 and scores.get_xlim()[1] == 1
    assert [each.get_text() for each in scores.get_yticklabels()][:2] == [
        "macro-F1",
        "Cohen's kappa",
    ]
    many = pd.concat([table.assign(panorama=f"p{n}") for n in range(9)])
    many = many[many["quantity"].str.endswith("density")]
    figure = draw_label_effect(pd.concat([table[table["panorama"] == ""], many]), ["x"])
    assert len(figure.axes) == 3 + 2 * 4 and "4 of 9 panoramas" in figure.get_supxlabel()


def words_of(figure):
    """Return all that a figure says, but for its legend."""
    told = [figure.get_suptitle()]
    for axes in figure.axes:
        told += [axes.get_xlabel(), *(each.get_text() for each in axes.texts)]
    return " ".join(told)


def test_the_figure_shows_what_there_is_and_explains_nothing_else():
    after = state(held_out(seed=2, right=0.9), minute=1)
    first = draw_label_effect(label_effect(None, after), [])
    # Values themselves: nothing is before, and nothing is to be explained.
    assert not first.legends and "hange" not in words_of(first) and len(first.axes) == 4
    assert first.axes[2].get_xlim()[0] == 0
    apart = state(held_out(moved=40.0, sites=30), minute=0)
    table = label_effect(apart, after).assign(sites=np.nan)
    figure = draw_label_effect(table.assign(difference=np.nan), [])
    assert "not compared" in words_of(figure) and len(figure.legends) == 1
    # Corrected counts that nobody could estimate have no panels.
    corrected = table["quantity"] == "corrected density"
    none = table.copy()
    none.loc[corrected, ["before", "after", "difference"]] = np.nan
    assert len(draw_label_effect(none, []).axes) == len(draw_label_effect(table, []).axes) - 1
    other = state(held_out(seed=2, right=0.9), minute=1, config=(("seed", 3),))
    table = label_effect(apart, other)
    assert "Settings or images changed, too" in words_of(
        draw_label_effect(table, effect_lines(apart, other, table))
    )
