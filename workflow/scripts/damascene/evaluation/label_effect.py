"""What new labels changed: in scores on sites that both knew nothing of, and in densities."""

import math

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import KDTree

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.contracts.label_history import APART, LABEL_EFFECT, PAIRED
from damascene.contracts.table import check_table
from damascene.evaluation.label_state import BLOCKS, LabelState, other_changes
from damascene.evaluation.scores import score_difference, score_table
from damascene.labels import LABEL_TOLERANCE
from damascene.statistics.jackknife import LEAST_GROUPS
from damascene.units import length_px

#: What is said where there is nothing to compare with.
NOTHING_BEFORE = "no earlier labels to compare with"
#: Begins what is said where other things than labels changed.
NOT_OF_LABELS_ALONE = "The differences are not those of the labels alone"
_NO_COMMON = "no site was held out with both sets of labels"
_FEW_COMMON = "fewer than 5 sites were held out with both sets of labels"
# Of fewer common sites one answer would decide.
_LEAST_COMMON = 5
_FEW_GROUPS = "too few groups for an interval"
_NOT_COUNTED = "not estimated with both sets of labels"
_NO_CHANGE = "no site changed its class"
_CLASSES = (DAMAGE, *SITE_CLASSES)
# Scores of all classes, and of each.
_SCORES = ("macro_f1", "kappa", "accuracy", "balanced_accuracy", "f1")
# Of fewer of the earlier labels it is said how to compare more.
_COMMON_SHARE = 0.5
# Blocks of a panorama in `BLOCK_COUNTS`.
_BLOCKS = BLOCKS**2


def label_effect(before: LabelState | None, after: LabelState) -> pd.DataFrame:
    """Compare what the newest labels gave with what those before them gave.

    Parameters
    ----------
    before : LabelState
        None where there is none.
    after : LabelState

    Returns
    -------
    pandas.DataFrame
        `LABEL_EFFECT`.

    References
    ----------
    Zou & Donner, Construction of confidence limits about effect measures, 10.1002/sim.3095 (a
    difference from two intervals).
    """
    rows = [*_labels(before, after), *_scores(before, after)]
    for quantity, value, low, high in (
        ("density", "density_per_mm2", "low_per_mm2", "high_per_mm2"),
        (
            *("corrected density", "corrected_density_per_mm2"),
            *("corrected_low_per_mm2", "corrected_high_per_mm2"),
        ),
    ):
        rows += _densities(before, after, quantity=quantity, columns=[value, low, high])
    table = pd.DataFrame(rows).reindex(columns=list(LABEL_EFFECT.columns))
    for name in ("panorama", "score", "interval", "note"):
        table[name] = table[name].astype(object).fillna("")
    return check_table(table, LABEL_EFFECT, source="effect of labels")


def _labels(before, after):
    for name in (*SITE_CLASSES, ALL):
        now = _count(after, name)
        row = {"quantity": "labels", "class": name, "after": now}
        if before is None:
            yield row | {"note": NOTHING_BEFORE}
        else:
            earlier = _count(before, name)
            yield row | {"before": earlier, "difference": now - earlier}


def _count(state, name):
    counts = state.record.labels
    return sum(counts.values()) if name == ALL else counts[name]


def _scores(before, after):
    now, earlier = _scored(after), None if before is None else _scored(before)
    pairs = None if before is None else common_sites(before, after)
    differences = (
        _differences(pairs, after) if pairs is not None and len(pairs) >= _LEAST_COMMON else None
    )
    for key, row in now.iterrows():
        name, score = key
        told = {"quantity": "score", "class": name, "score": score}
        told |= {"after": row["value"], "after_low": row["low"], "after_high": row["high"]}
        if earlier is None:
            yield told | {"note": NOTHING_BEFORE}
            continue
        old = earlier.loc[key]
        told |= {"before": old["value"], "before_low": old["low"], "before_high": old["high"]}
        told["sites"] = len(pairs)
        if differences is None:
            yield told | {"note": _FEW_COMMON if len(pairs) else _NO_COMMON}
            continue
        found = differences.loc[key]
        if np.isnan(found["value"]):
            yield told | {"note": "no label of the class among the common sites"}
            continue
        told |= {"difference": found["value"]}
        if np.isnan(found["low"]):
            alike = (pairs["predicted_before"] == pairs["predicted_class"]).all()
            yield told | {"note": "no answer changed" if alike else _FEW_GROUPS}
            continue
        told |= {"difference_low": found["low"], "difference_high": found["high"]}
        yield told | {"interval": PAIRED}


def _scored(state):
    held_out = state.held_out
    table = score_table(
        held_out["label"],
        held_out["predicted_class"],
        groups=held_out["group"],
        confidence=state.record.confidence,
    )
    return table[table["score"].isin(_SCORES)].set_index(["class", "score"])


def _differences(pairs, after):
    table = score_difference(
        pairs["label"],
        pairs["predicted_class"],
        pairs["predicted_before"],
        groups=pairs["group"],
        confidence=after.record.confidence,
        each_class=True,
    )
    return table.set_index(["class", "score"])


def common_sites(before: LabelState, after: LabelState) -> pd.DataFrame:
    """Return the sites that were held out with both sets of labels.

    A site is the same if its clips were centred within the tolerance of labels: other parameters
    of the detection may have moved it a little, and given it another number.

    Parameters
    ----------
    before, after : LabelState

    Returns
    -------
    pandas.DataFrame
        Rows of the `HELD_OUT` of the newest labels, with `predicted_before`.
    """
    parts = []
    for name, now in after.held_out.groupby("panorama"):
        earlier = before.held_out[before.held_out["panorama"] == name]
        if earlier.empty or before.record.panoramas.get(name) is None:
            continue
        size_nm = after.record.panoramas[name].pixel_size_nm
        places = [each[["clip_x_px", "clip_y_px"]].to_numpy(float) for each in (earlier, now)]
        apart, nearest = KDTree(places[0]).query(places[1])
        # Two sites of today may have been one.
        _, back = KDTree(places[1]).query(places[0])
        same = apart <= length_px(LABEL_TOLERANCE, pixel_size_nm=size_nm)
        same &= back[nearest] == np.arange(len(now))
        answers = earlier["predicted_class"].to_numpy(object)[nearest[same]]
        parts.append(now[same].assign(predicted_before=answers))
    if not parts:
        return after.held_out[:0].assign(predicted_before="")
    return pd.concat(parts, ignore_index=True)


def _densities(before, after, *, quantity, columns):
    keys = ["panorama", "class"]
    now = after.corrected.set_index(keys)[columns]
    earlier = None if before is None else before.corrected.set_index(keys)[columns]
    for key, row in now.iterrows():
        name, of_class = key
        if of_class == ALL:
            # Labels change the classes of sites, not their number.
            continue
        told = {"quantity": quantity, "panorama": name, "class": of_class}
        told |= dict(zip(("after", "after_low", "after_high"), row, strict=True))
        if earlier is None:
            yield told | {"note": NOTHING_BEFORE}
            continue
        old = earlier.loc[key] if key in earlier.index else pd.Series(np.nan, row.index)
        told |= dict(zip(("before", "before_low", "before_high"), old, strict=True))
        if math.isnan(row.iloc[0]) or math.isnan(old.iloc[0]):
            yield told | {"note": _NOT_COUNTED}
            continue
        told["difference"] = row.iloc[0] - old.iloc[0]
        if quantity == "density":
            yield told | _paired(before, after, name, of_class)
        else:
            yield told | difference_apart(*old, *row)


def _paired(before, after, panorama, name):
    """Return the interval of a difference of raw densities from the blocks that both have."""
    classes = DAMAGE_MECHANISMS if name == DAMAGE else (name,)
    counts = [_by_block(state, panorama, classes) for state in (before, after)]
    changed = counts[1].sub(counts[0], fill_value=0).to_numpy(float)
    if not changed.any():
        return {"note": _NO_CHANGE}
    area_mm2 = after.record.panoramas[panorama].valid_area_mm2
    # Blocks without a site, or outside the valid area, have no change.
    squares = (changed**2).sum() - changed.sum() ** 2 / _BLOCKS
    half = stats.t.ppf((1 + after.record.confidence) / 2, _BLOCKS - 1)
    half *= math.sqrt(_BLOCKS / (_BLOCKS - 1) * squares) / area_mm2
    middle = changed.sum() / area_mm2
    if np.count_nonzero(changed) < LEAST_GROUPS:
        return {"note": "the changed sites lie in fewer than three blocks: no interval"}
    return {"difference_low": middle - half, "difference_high": middle + half, "interval": PAIRED}


def _by_block(state, panorama, classes):
    blocks = state.blocks
    own = blocks[(blocks["panorama"] == panorama) & blocks["class"].isin(classes)]
    return own.groupby(["row", "column"])["count"].sum()


def difference_apart(
    before: float,
    before_low: float,
    before_high: float,
    after: float,
    after_low: float,
    after_high: float,
) -> dict[str, float | str]:
    """Return the interval of a difference from two intervals, as if they were independent.

    Parameters
    ----------
    before, before_low, before_high, after, after_low, after_high : float
        Values with their intervals, NaN where there is none.

    Returns
    -------
    dict
        difference_low, difference_high and interval; or note.
    """
    if np.isnan([before_low, before_high, after_low, after_high]).any():
        return {"note": "no interval with both sets of labels"}
    return {
        "difference_low": after - before - math.hypot(after - after_low, before_high - before),
        "difference_high": after - before + math.hypot(after_high - after, before - before_low),
        "interval": APART,
    }


def effect_lines(before: LabelState | None, after: LabelState, table: pd.DataFrame) -> list[str]:
    """Say in sentences what was compared, and what must be known of it.

    Parameters
    ----------
    before, after : LabelState
    table : pandas.DataFrame
        `LABEL_EFFECT` of the two.
    """
    if before is None:
        return [f"There are {NOTHING_BEFORE}: the next labels will be held against these."]
    lines = [
        f"Compared are {_count(after, ALL)} labelled sites of {_people(after)} with "
        f"{_count(before, ALL)} of {_people(before)}, whose state was written on "
        f"{before.record.written[:16].replace('T', ' ')} UTC."
    ]
    changes = other_changes(before.record, after.record)
    if changes:
        lines.append(f"{NOT_OF_LABELS_ALONE}, as other things changed, too: {', '.join(changes)}.")
    sites = table.loc[table["quantity"] == "score", "sites"].max()
    if sites < _LEAST_COMMON:
        lines.append(
            f"Scores are not compared: of the sites held out now {int(sites)} were so before."
        )
    else:
        lines.append(
            f"Differences of scores rest on {int(sites)} sites that were held out both times, with "
            "the labels of this run as truth."
        )
    crossed = after.record.settings.get("split.cross_validate") == "true"
    if sites < _COMMON_SHARE * _count(before, ALL) and not crossed:
        lines.append(
            "That is a small part of the labels. With 'split: cross_validate: true' all are held "
            "out, and from the next labels on differences rest on all that both runs have."
        )
    return lines


def _people(state):
    return "1 annotator" if state.record.people == 1 else f"{state.record.people} annotators"
