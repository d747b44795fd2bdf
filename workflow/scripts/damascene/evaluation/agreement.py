"""How well annotators agree with each other: the ceiling of any score against their labels."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats import inter_rater

from damascene.classes import ALL, SITE_CLASSES
from damascene.contracts.labels import UNCLEAR
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.evaluation.scores import score_difference, score_table
from damascene.labels.groups import groups_of_answers
from damascene.statistics.jackknife import jackknife_interval, numbered

_SITE = ["panorama", "site_id"]
_SCORES = ("agreement", "macro_f1", "kappa", "balanced_accuracy")
_AGREEMENT = ("agreement", "kappa")


def answer_table(answers: pd.DataFrame) -> pd.DataFrame:
    """Set the last answers of all annotators side by side.

    Answers that were given to decide between others are left out: whoever gave them knew what the
    others had said.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.

    Returns
    -------
    pandas.DataFrame
        A row for each site, by panorama and site_id; a column for each annotator, by name; the
        class, or empty where there is none.
    """
    given = answers[~answers["decides"]].sort_values("order")
    last = given.drop_duplicates([*_SITE, "annotator"], keep="last")
    last = last.replace({"answer": {UNCLEAR: ""}})
    table = last.set_index([*_SITE, "annotator"])["answer"]
    return pd.DataFrame(
        {name: of_one.droplevel("annotator") for name, of_one in table.groupby("annotator")}
    ).fillna("")


def fleiss_kappa(
    answered: pd.DataFrame, groups: pd.Series, *, confidence: float
) -> dict[str, float]:
    """Return Fleiss' kappa over the sites that every annotator answered.

    Parameters
    ----------
    answered : pandas.DataFrame
        As from `answer_table`, of two annotators at least.
    groups : pandas.Series
        Group of each site. Sites of a group resemble each other.
    confidence : float
        See `jackknife.jackknife_interval`.

    Returns
    -------
    dict
        sites, value, low, high, groups. The value is nan where nobody could disagree.

    References
    ----------
    Fleiss, Measuring nominal scale agreement among many raters, 10.1037/h0031619.
    """
    whole = answered[(answered != "").all(axis=1)]
    classes, codes = np.unique(whole.to_numpy(), return_inverse=True)
    codes = codes.reshape(whole.shape)
    counts = (codes[..., None] == np.arange(len(classes))).sum(axis=1)
    member, number = numbered(groups.loc[whole.index])
    value = _fleiss_kappa(counts)
    low, high = jackknife_interval(
        value,
        [_fleiss_kappa(counts[member != one]) for one in range(number)],
        confidence=confidence,
        # Its least value, where all always differ.
        bounds=(-1 / (whole.shape[1] - 1), 1.0),
    )
    return {"sites": len(whole), "value": value, "low": low, "high": high, "groups": number}


def _fleiss_kappa(counts):
    """Return the kappa of how many annotators gave each class (sites, classes)."""
    # Nobody could disagree on one class: agreement and chance are both 1.
    if (counts.sum(axis=0) > 0).sum() < 2:
        return np.nan
    return float(inter_rater.fleiss_kappa(counts, method="fleiss"))


def measure_agreement(
    answers: pd.DataFrame,
    predictions: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    group_by: str,
    block: str,
    confidence: float,
) -> pd.DataFrame:
    """Return `agreement_table` of a study.

    Parameters
    ----------
    answers, predictions : pandas.DataFrame
        `ANSWERS` and `HELD_OUT`.
    records : sequence of PanoramaRecord
        Of all panoramas with answers.
    group_by, block
        See `groups.groups_of_answers`.
    confidence : float
        See `scores.score_table`.
    """
    predicted = predictions.set_index(_SITE)["predicted_class"]
    groups = groups_of_answers(answers, records, group_by=group_by, block=block)
    return agreement_table(answers, predicted=predicted, groups=groups, confidence=confidence)


def agreement_table(
    answers: pd.DataFrame,
    *,
    predicted: pd.Series,
    groups: pd.Series,
    confidence: float,
) -> pd.DataFrame:
    """Score annotators against each other, and the networks in the place of each of them.

    All answers count, also on sites on whose class no majority agrees and which therefore have no
    label: without them, people would seem to agree better than they do.
    A score against the majority cannot be compared with that of a person who had a vote in it.
    Where the label is what the others agree on, person and networks are scored on the same sites.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    predicted : pandas.Series
        What networks that did not learn from a site call it, by panorama and site_id.
    groups : pandas.Series
        Group of each site, in the same way. Sites of a group resemble each other.
    confidence : float
        See `scores.score_table`.

    Returns
    -------
    pandas.DataFrame
        comparison, annotators, sites, score, value, low, high, groups; annotators are numbered by
        name.
        `pair 1-2`: proportion of equal answers (`agreement`) and Cohen's kappa of two annotators;
        `all`: Fleiss' kappa; `3 again`: the last answer of one annotator against their answer
        before, on sites that they answered twice, at one position or on two parts of a candidate;
        `3 against others`: scores of one annotator against the label on which all others, at least
        two, agree, on sites that the networks classified; `networks for 3`: of the networks on the
        same sites; `networks minus 3`: the difference, with a paired interval. With `all` in place
        of the number, the sites of all annotators are taken together: one on which all agree counts
        once for each of them.
    """
    answered = answer_table(answers)
    names = list(answered.columns)
    rows = []

    def tell(comparison, annotators, sites, table, scores):
        table = table.set_index("score").rename(index={"accuracy": "agreement"}).loc[list(scores)]
        told = {"comparison": comparison, "annotators": ", ".join(annotators), "sites": sites}
        rows.extend(
            told | {"score": score, **row[["value", "low", "high", "groups"]]}
            for score, row in table.iterrows()
        )

    def compare(comparison, annotators, truth, said, scores):
        if not len(truth):
            return
        member = groups.loc[truth.index].to_numpy()
        table = score_table(truth, said, groups=member, confidence=confidence)
        tell(comparison, annotators, len(truth), table[table["class"] == ALL], scores)

    def compare_with_networks(who, annotators, truth, said):
        compare(f"{who} against others", annotators, truth, said, _SCORES)
        if len(truth):
            named = predicted.reindex(truth.index)
            compare(f"networks for {who}", annotators, truth, named, _SCORES)
            options = {"groups": groups.loc[truth.index].to_numpy(), "confidence": confidence}
            table = score_difference(truth, named, said, **options)
            tell(f"networks minus {who}", annotators, len(truth), table, _SCORES)

    for (one, first), (other, second) in itertools.combinations(enumerate(names, 1), 2):
        both = answered[(answered[[first, second]] != "").all(axis=1)]
        compare(f"pair {one}-{other}", (first, second), both[first], both[second], _AGREEMENT)
    left_out = []
    for number, name in enumerate(names, 1):
        earlier, later = _twice(answers[answers["annotator"] == name])
        compare(f"{number} again", (name,), earlier, later, _AGREEMENT)
        others = answered.drop(columns=name)
        if others.shape[1] < 2:
            continue
        agreed = (others != "").all(axis=1) & others.eq(others.iloc[:, 0], axis=0).all(axis=1)
        agreed &= (answered[name] != "") & answered.index.isin(predicted.index)
        truth = others[agreed].iloc[:, 0]
        left_out.append((truth, answered.loc[agreed, name]))
        compare_with_networks(str(number), (name,), *left_out[-1])
    if left_out:
        truth, said = map(pd.concat, zip(*left_out, strict=True))
        compare_with_networks("all", names, truth, said)
    if len(names) > 1:
        told = {"comparison": "all", "annotators": ", ".join(names), "score": "fleiss_kappa"}
        rows.append(told | fleiss_kappa(answered, groups, confidence=confidence))
    columns = ["comparison", "annotators", "sites", "score", "value", "low", "high", "groups"]
    return pd.DataFrame(rows, columns=columns)


def _twice(answers):
    """Return the last but one and the last class that a person gave to each site, by site."""
    given = answers[answers["answer"].isin(SITE_CLASSES) & ~answers["decides"]]
    given = given.sort_values("order").set_index(_SITE)
    before = given.groupby(_SITE)["answer"].shift()
    last = ~given.index.duplicated(keep="last") & before.notna()
    return before[last], given.loc[last, "answer"]
