"""One page on the networks of a study: what they are, their scores, and for whom these hold."""

from collections.abc import Mapping, Sequence

import pandas as pd

from damascene.classes import ALL, NOT_CLASSIFIED, SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord

# Confusions that are told in words, and the fewest sites that make one.
_MOST_CONFUSIONS, _FEWEST_SITES = 4, 3
# Where all were alike, 10 % of the candidates would lie outside.
_MANY_OUTSIDE = 0.2
_LAYOUT = "   :header-rows: 1\n"


def model_page(
    *,
    cards: Mapping[str, ModelCard],
    split: pd.DataFrame,
    scores: pd.DataFrame,
    confusion: pd.DataFrame,
    agreement: pd.DataFrame,
    scope: pd.DataFrame,
    outside: tuple[float, float],
    records: Sequence[PanoramaRecord],
    confidence: float,
    group_by: str,
    block: str,
    tested: str,
    doubts: Sequence[str],
    trained_here: bool,
    refits_last_layers: bool,
) -> str:
    """Return the page in reStructuredText.

    Parameters
    ----------
    cards : mapping of stage to ModelCard
        Of the networks that classified.
    split, scores, confusion, agreement, scope : pandas.DataFrame
        `SPLIT`, `SCORES`, `CONFUSION`, `AGREEMENT` and `SCOPE`.
    outside : tuple of float
        From `scope.outside_of_sizes`.
    records : sequence of PanoramaRecord
        Of all panoramas.
    confidence : float
        Of all intervals.
    group_by, block : str
        How labels were grouped, see `groups.groups_of_answers`.
    tested : str
        Which labels test, and what.
    doubts : sequence of str
        Why the labels may be no test.
    trained_here : bool
        Whether the networks learned from these labels.
    refits_last_layers : bool
        Whether `snakemake evaluation` has learning curves of single classes.
    """
    paragraphs = [
        _networks(cards, labelled=len(split) if trained_here else 0),
        _labels(split, records, group_by=group_by, block=block),
        _scores(scores, confidence, tested=tested, doubts=doubts),
        _score_table(scores),
        _confusions(confusion),
        _people(agreement, annotators=_annotators(split)),
        _prevalence(scope),
        _scope_table(scope),
        _sizes(scope, outside),
        _pixels(cards, records),
        _settings(trained_here=trained_here),
        _more_labels(refits_last_layers=refits_last_layers),
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"


def with_interval(row: pd.Series, *, percent: bool = False) -> str:
    """Write a value, with its interval where it has one."""
    if pd.isna(row["value"]):
        return "none"
    factor, digits = (100, 0) if percent else (1, 2)
    value = f"{factor * row['value']:.{digits}f}{' %' if percent else ''}"
    if pd.isna(row["low"]):
        return value
    return f"{value} [{factor * row['low']:.{digits}f}, {factor * row['high']:.{digits}f}]"


def _networks(cards, *, labelled):
    # Networks of both stages are often alike.
    stages = {}
    for stage, card in cards.items():
        learned = ""
        if card.class_counts:
            totals = pd.DataFrame(card.class_counts).fillna(0).sum(axis=1).astype(int)
            total = int(totals.sum())
            apart = max(labelled - total, 0) if set(totals.index) == set(SITE_CLASSES) else 0
            learned = f", trained on {total} labelled sites ({_counted(totals)})"
            if apart:
                learned += (
                    f"; windows of the other {apart} overlap those of sites that decided when the "
                    "training ends"
                )
        about = (
            f"``{card.network}`` on windows of {_unit(card.window)}"
            f"{', with descriptors of the site' if card.descriptors else ''}{learned}."
        )
        stages.setdefault(about, []).append(stage)
    told = [
        f"The {who[0]} network is {about}"
        if len(who) == 1
        else f"The {' and the '.join(who)} network are each {about}"
        for about, who in stages.items()
    ]
    # Networks of one study have one note.
    notes = dict.fromkeys(card.note for card in cards.values() if card.note)
    return f"**Networks.** {' '.join([*told, *notes])}"


def _labels(split, records, *, group_by, block):
    counts = split["label"].value_counts().reindex(SITE_CLASSES, fill_value=0)
    panoramas = sorted(split["panorama"].unique())
    missing = [name for name, count in counts.items() if not count]
    groups = "panoramas" if group_by == "panorama" else f"blocks of {_unit(block)}"
    named = ", ".join(f"``{name}``" for name in panoramas[:6])
    named += f" and {len(panoramas) - 6} more" if len(panoramas) > 6 else ""
    text = (
        f"**Labels.** {len(split)} labelled sites train and test: {_counted(counts)}. They lie in "
        f"{len(panoramas)} of {len(records)} panoramas ({named}), in "
        f"{split['group'].nunique()} groups ({groups}) and come from "
        f"{_number(_annotators(split), 'annotator')}."
    )
    if missing:
        text += f" Nothing is known of the scores of {_listed(missing)}: no site has that label."
    if len(panoramas) == 1:
        text += " What another panorama, specimen or microscope would give is not known."
    return text


def _annotators(split):
    names = {name for text in split["annotator"] for name in text.split(ANSWER_SEPARATOR)}
    return len(names)


def _scores(scores, confidence, *, tested, doubts):
    of_all = scores[scores["class"] == ALL].set_index("score")
    first = of_all.iloc[0]
    text = (
        f"**Scores.** Over {first['support']} labelled sites in "
        f"{_number(first['groups'], 'group')} ({tested})"
        f", macro-F1 is {with_interval(of_all.loc['macro_f1'])}, Cohen's kappa "
        f"{with_interval(of_all.loc['kappa'])} and accuracy "
        f"{with_interval(of_all.loc['accuracy'])}; in brackets intervals at {100 * confidence:g} % "
        "confidence, from leaving out each group in turn."
    )
    if (scores["value"].notna() & scores["low"].isna()).any():
        text += " Scores without brackets rest on too few groups for an interval."
    return " ".join([text, *doubts])


def _score_table(scores):
    by_class = scores.set_index(["class", "score"])
    rows = ["class, labels, precision, recall, F1"]
    for name in SITE_CLASSES:
        told = [
            f'"{with_interval(by_class.loc[name, key])}"' for key in ("precision", "recall", "f1")
        ]
        rows.append(f"{_shown(name)}, {by_class.loc[(name, 'f1'), 'support']}, {', '.join(told)}")
    return _table(rows)


def _confusions(confusion):
    wrong = confusion[confusion["true_class"] != confusion["predicted_class"]]
    wrong = wrong[wrong["count"] >= _FEWEST_SITES].sort_values(
        "share", ascending=False, kind="stable"
    )
    if wrong.empty:
        return "**Confusions.** No class was called another one three times or more."
    totals = confusion.groupby("true_class")["count"].sum()
    told = []
    for _, row in wrong.head(_MOST_CONFUSIONS).iterrows():
        true_class, called = _shown(row["true_class"]), f"called {_shown(row['predicted_class'])}"
        if row["predicted_class"] == NOT_CLASSIFIED:
            called = _shown(NOT_CLASSIFIED)
        share = with_interval(row.rename({"share": "value"}), percent=True)
        total = totals[row["true_class"]]
        told.append(f"{row['count']} of {total} {true_class} sites were {called} ({share})")
    return f"**Confusions.** Most frequent by share of the true class: {'; '.join(told)}."


def _people(agreement, *, annotators):
    if annotators < 2:
        return (
            "**People.** One person labelled: how well people agree, and how the networks compare "
            "with a person, is not known."
        )
    rows = agreement.set_index(["comparison", "score"])
    pairs = agreement[agreement["comparison"].str.startswith("pair")]
    kappas = pairs.loc[pairs["score"] == "kappa", "value"].dropna()
    agreed = pairs.loc[pairs["score"] == "agreement", "value"].dropna()
    if agreed.empty:
        # As where a person goes on where the simulation, or another person, left off.
        return (
            "**People.** No two annotators answered the same site: how well people agree, and how "
            "the networks compare with a person, is not known."
        )
    kappa = f" (Cohen's kappa {_range(kappas, digits=2)})" if len(kappas) else ""
    text = (
        f"**People.** Two annotators give {_range(100 * agreed, digits=0)} % of the sites the same "
        f"class{kappa}, counting sites without a majority, too."
    )
    if ("networks minus all", "macro_f1") not in rows.index:
        return text + (
            " A network can be compared with a person only on sites where at least two others "
            "agree, which takes three annotators."
        )
    person, networks, less = (
        {score: rows.loc[(name, score)] for score in ("macro_f1", "kappa")}
        for name in ("all against others", "networks for all", "networks minus all")
    )
    difference = less["macro_f1"]
    return text + (
        " Where all but one annotator agree, the one left out reaches a macro-F1 of "
        f"{with_interval(person['macro_f1'])} (kappa {with_interval(person['kappa'])}) against "
        f"their class, and the networks on the same sites {with_interval(networks['macro_f1'])} "
        f"(kappa {with_interval(networks['kappa'])}), all annotators taken together. The networks "
        f"less the person: macro-F1 {_signed(difference)}. {_verdict(difference)} Sites on which "
        "the others disagree are not among these."
    )


def _verdict(difference):
    if pd.isna(difference["low"]):
        return "There are too few groups to say which is better."
    if difference["high"] < 0:
        return "The networks are worse than one annotator."
    if difference["low"] > 0:
        return "The networks are better than one annotator."
    return "Which is better cannot be told from these labels."


def _prevalence(scope):
    of_all = scope.set_index("class").loc[ALL]
    start = "**For whom the scores hold: frequencies.** "
    if not of_all["others"]:
        return start + "All candidates have a label, so that the scores are of all of them."
    differing = scope[scope["differs"]]
    text = start + (
        f"{of_all['others']} candidates have no label. Their true classes are not known; what can "
        "be compared is how often networks name each class among them and among labelled sites "
        "that they never saw. "
    )
    if differing.empty:
        return text + (
            "No class differs clearly: of each, the intervals of the two fractions overlap, as "
            "those of few sites often do (``evaluation/scope.tsv``)."
        )
    told = [
        f"{_shown(row['class'])} {100 * row['answered_share']:.0f} % of the labelled sites, "
        f"{100 * row['other_share']:.0f} % of the others"
        for _, row in differing.iterrows()
    ]
    return text + (
        f"These differ clearly: {'; '.join(told)}. **Accuracy, kappa, precision and F1 above hold "
        "for the frequencies of the labels and not for those of the panoramas;** the recall of a "
        "class carries over if its labelled sites look like the others."
    )


def _scope_table(scope):
    rows = [
        "class, labels (share), named among labelled sites, named among other candidates, "
        "diameter of labelled sites (µm), of others (µm)"
    ]
    for _, row in scope.iterrows():
        sizes = [
            f"{row[f'{whose}_diameter_5_um']:.2g} to {row[f'{whose}_diameter_95_um']:.2g}"
            if pd.notna(row[f"{whose}_diameter_5_um"])
            else "–"
            for whose in ("label", "other")
        ]
        shares = [
            f"{row[count]} ({100 * row[share]:.0f} %)" if pd.notna(row[share]) else "–"
            for count, share in (
                ("labels", "label_share"),
                ("answered", "answered_share"),
                ("others", "other_share"),
            )
        ]
        rows.append(", ".join([_shown(row["class"]), *shares, *sizes]))
    return _table(rows)


def _sizes(scope, outside):
    of_all = scope.set_index("class").loc[ALL]
    if pd.isna(of_all["label_diameter_5_um"]) or pd.isna(outside[0]):
        return ""
    below, above = (100 * part for part in outside)
    text = (
        "**For whom the scores hold: sizes.** Nine of ten labelled sites have equivalent diameters "
        f"of {of_all['label_diameter_5_um']:.2g} to {of_all['label_diameter_95_um']:.2g} µm (5 to "
        f"95 %). Of the candidates without a label {below:.0f} % are smaller and {above:.0f} % "
        "larger; 5 % each would be as among the labelled ones."
    )
    if sum(outside) > _MANY_OUTSIDE:
        side = "small" if below > above else "large"
        text += f" **Few labels test the {side} ones:** label some of them."
    return text


def _pixels(cards, records):
    ranges = [card.pixel_size_nm for card in cards.values()]
    least, most = min(low for low, _ in ranges), max(high for _, high in ranges)
    sizes = [record.pixel_size_nm for record in records]
    text = (
        f"**Pixels.** The networks learned from pixels of {_range([least, most], digits=4)} nm; "
        f"the panoramas have {_range(sizes, digits=4)} nm."
    )
    other = [record.panorama for record in records if not least <= record.pixel_size_nm <= most]
    if other:
        named = ", ".join(f"``{name}``" for name in other[:6])
        text += f" The pixels of {len(other)} panoramas are of another size ({named})."
    return text


def _settings(*, trained_here):
    if not trained_here:
        return (
            "**Settings.** The networks were trained elsewhere. Their probabilities and sets of "
            "classes were calibrated on these labels."
        )
    return (
        "**Settings.** How long or how strongly the networks are fitted was chosen on another fold "
        "than the one that tests. Probabilities and sets of classes were calibrated on all tested "
        "labels. Thresholds, windows and networks are those of the configuration: if they were "
        "tried on these labels, the scores are a little too good. ``snakemake nested_selection`` "
        "scores with settings that were chosen anew without each fold; it needs "
        "``split.cross_validate``."
    )


def _more_labels(*, refits_last_layers):
    if not refits_last_layers:
        return ""
    return (
        "**More labels.** ``snakemake evaluation`` says in ``evaluation/labels_to_add.txt`` which "
        "classes would gain from more labels."
    )


def _table(rows):
    return "\n".join([".. csv-table::", _LAYOUT, *(f"   {row}" for row in rows)])


def _counted(counts):
    return ", ".join(f"{count} {_shown(name)}" for name, count in counts.items() if count)


def _listed(names):
    return " and ".join(_shown(name) for name in names)


def _number(count, noun):
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _range(values, *, digits):
    low, high = min(values), max(values)
    shown = [f"{each:.{digits}f}" if digits < 4 else f"{each:g}" for each in (low, high)]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"


def _signed(row):
    interval = "" if pd.isna(row["low"]) else f" [{row['low']:+.2f}, {row['high']:+.2f}]"
    return f"{row['value']:+.2f}{interval}"


def _shown(name):
    return name.replace("_", " ")


def _unit(quantity):
    return quantity.replace(" um", " µm")
