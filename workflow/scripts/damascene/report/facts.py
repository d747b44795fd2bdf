"""What a report is made from: the products of a study, and what the first page says of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from damascene.classes import ALL, DAMAGE, INCLUSION, STAGES
from damascene.contracts.catalogue import table_in
from damascene.contracts.labels import (
    ANSWER_SEPARATOR,
    LABELLED_SITES,
    SIMULATED_ANNOTATOR,
    SPLIT,
)
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.table import read_table, read_tsv
from damascene.statistics.verdict import named

# More remarks than this would hide what was measured.
_MOST_NOTES = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """Products of a study, by their path below results/, and facts of its plan.

    Attributes
    ----------
    results : pathlib.Path
    files : frozenset of str
        Products that belong to the study, below results/; others that lie there are old.
    settings : mapping
        The configuration with all defaults.
    sheet : str
        Text of the sample sheet.
    panoramas : sequence of str
        In the order of the study.
    strains_percent : mapping of panorama to float
    conditions : mapping of panorama to str
        Empty where the sheet has none.
    notes : mapping of panorama to str, optional
        Remarks in the sample sheet, empty where there are none.
    facts : mapping
        Of the plan: `trains`, `tested`, `doubts`, `untested`, `unclassified`, `models`,
        `elsewhere`. `viewer`:
        whether there is a page on which to look at every site.
    """

    results: Path
    files: frozenset[str]
    settings: Mapping
    sheet: str
    panoramas: Sequence[str]
    strains_percent: Mapping[str, float]
    conditions: Mapping[str, str]
    notes: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Return where a product lies."""
        return self.results / name

    def has(self, name: str) -> bool:
        """Tell whether a product belongs to the study."""
        return name in self.files

    def text(self, name: str) -> str:
        """Return a text, empty where the study has none."""
        return self.path(name).read_text(encoding="utf-8") if self.has(name) else ""

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table, checked against its contract; None where the study has none."""
        found = table_in(name)
        if found is None or not self.has(name):
            return None
        read = read_tsv if name.endswith(".tsv") else read_table
        return read(self.path(name), found[1])

    def _of_panoramas(self, pattern):
        names = (pattern.format(panorama=name) for name in self.panoramas)
        return [self.path(name) for name in names if self.has(name)]

    @cached_property
    def records(self) -> list[PanoramaRecord]:
        """Records of the panoramas."""
        return [
            PanoramaRecord.read(path) for path in self._of_panoramas("panoramas/{panorama}.json")
        ]

    @cached_property
    def quality(self) -> list[QualityRecord]:
        """Quality of the panoramas."""
        return [QualityRecord.read(path) for path in self._of_panoramas("quality/{panorama}.json")]

    @cached_property
    def phases(self) -> list[PhaseRecord]:
        """Records of the phase maps."""
        return [PhaseRecord.read(path) for path in self._of_panoramas("phases/{panorama}.json")]

    @cached_property
    def cards(self) -> dict[str, ModelCard]:
        """Cards of the networks that classify, by stage."""
        folder = Path(self.facts.get("models") or self.results / "models")
        paths = {stage: folder / f"{stage}.json" for stage in STAGES}
        return {stage: ModelCard.read(path) for stage, path in paths.items() if path.is_file()}

    @property
    def classifies(self) -> bool:
        """Whether sites are classified."""
        return self.has("statistics/densities.tsv")

    @cached_property
    def densities(self) -> pd.DataFrame | None:
        """`DENSITIES`."""
        return self.table("statistics/densities.tsv")

    def table_files(self) -> list[str]:
        """Return all tables for people, in the order of their names."""
        return sorted(name for name in self.files if name.endswith(".tsv"))

    def figure_files(self) -> list[str]:
        """Return all figures, in the order of their names."""
        return sorted(name for name in self.files if name.endswith(".svg"))

    def site_files(self) -> list[Path]:
        """Return the tables of sites, in the order of the panoramas."""
        return self._of_panoramas("sites/{panorama}.parquet")

    @cached_property
    def labels(self) -> pd.DataFrame | None:
        """`LABELLED_SITES`."""
        if not self.has("labels/labels.parquet"):
            return None
        return read_table(self.path("labels/labels.parquet"), LABELLED_SITES)

    @cached_property
    def tested_labels(self) -> pd.DataFrame | None:
        """`SPLIT`."""
        if not self.has("labels/split.parquet"):
            return None
        return read_table(self.path("labels/split.parquet"), SPLIT)


def measured(study: Study) -> list[tuple[str, str]]:
    """Return what was measured: pairs of a word and what is to be said of it."""
    records = study.records
    said = [("Panoramas", _panoramas(study))]
    if records:
        area = sum(one.valid_area_mm2 for one in records)
        sizes = [one.pixel_size_nm for one in records]
        said.append(("Valid area", f"{area:.3g} mm² with pixels of {_range(sizes)} nm"))
    if notes := notes_of_panoramas(study):
        said.append(("Notes", notes))
    strains = [value for value in study.strains_percent.values() if not pd.isna(value)]
    unknown = len(study.panoramas) - len(strains)
    if strains:
        text = _listed(sorted(set(strains)), "%")
        said.append(("Strain", f"{text}{f'; not known of {unknown}' if unknown else ''}"))
    else:
        said.append(("Strain", "not known"))
    conditions = sorted({name for name in study.conditions.values() if name})
    if conditions:
        said.append(("Conditions", "; ".join(conditions)))
    if study.classifies:
        every = study.densities[study.densities["class"] == ALL]
        said.append(("Sites", f"{int(every['count'].sum())}"))
        said += [("Networks", _networks(study)), ("Labels", _labels(study))]
        if new := new_labels(study):
            said.append(("New labels", new))
        said.append(("Scores", _scores(study)))
        if change := change_with_strain(study):
            said.append(("Change with strain", change))
    else:
        said.append(("Sites", study.facts["unclassified"]))
        if study.labels is not None:
            said.append(("Labels", _labels(study)))
    if study.phases:
        learned = sorted({one.trained_on for one in study.phases if one.trained_on})
        said.append(
            (
                "Phase maps",
                f"{len(study.phases)}, learned from {', '.join(learned)}"
                if learned
                else f"{len(study.phases)}",
            )
        )
    return said


def _panoramas(study):
    names = list(study.panoramas)
    origin = {one.source == "simulated" for one in study.records}
    kind = {frozenset({True}): ", simulated steel", frozenset({True, False}): ", some simulated"}
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    return f"{len(names)} ({shown}){kind.get(frozenset(origin), '')}"


def _listed(values, unit):
    if len(values) > 8:
        return f"{values[0]:g} to {values[-1]:g} {unit} in {len(values)} steps"
    return ", ".join(f"{value:g}" for value in values) + f" {unit}"


def _range(values: Iterable[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _networks(study):
    told = []
    for stage, card in study.cards.items():
        told.append(f"{stage}: {card.network} on {card.window.replace('um', 'µm')}")
    origin = "trained in this study"
    if not study.facts.get("trains", True):
        origin = f"from elsewhere ({study.facts.get('elsewhere', '')})"
        notes = sorted({card.note for card in study.cards.values() if card.note})
        origin += f". {' '.join(notes)}" if notes else ""
    return f"{'; '.join(told)}; {origin}"


def _labels(study):
    labels = study.labels
    if labels is None or labels.empty:
        return "none"
    counts = labels["label"].value_counts()
    counts = counts[counts.index != ""]
    people = {name for text in labels["annotator"] for name in text.split(ANSWER_SEPARATOR)}
    simulated = SIMULATED_ANNOTATOR in people
    people.discard(SIMULATED_ANNOTATOR)
    named = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items())
    by = [f"{len(people)} annotator{'s' * (len(people) > 1)}"] if people else []
    by += ["the simulation, which knows what it drew"] if simulated else []
    who = f" by {' and '.join(by)}" if by else ""
    counted = study.text("labels/counts.txt").strip().removeprefix("Labels: ")
    return f"{counted} Labelled sites{who}: {named}".strip()


def new_labels(study: Study) -> str:
    """Return how many labels are new, and the change of macro-F1; empty without earlier ones."""
    table = study.table("statistics/label_effect.tsv")
    if table is None:
        return ""
    rows = table[table["class"] == ALL].set_index(["quantity", "score"])
    labels = rows.loc[("labels", "")]
    if pd.isna(labels["before"]):
        return ""
    said = f"{labels['after']:.0f} labelled sites, {labels['before']:.0f} before"
    score = rows.loc[("score", "macro_f1")]
    if pd.isna(score["difference"]):
        return f"{said}; too few sites were held out both times to compare scores."
    change = f"{score['difference']:+.2f}"
    if not pd.isna(score["difference_low"]):
        change += f" [{score['difference_low']:+.2f}, {score['difference_high']:+.2f}]"
    change = change.replace("-", "−")
    return f"{said}; macro-F1 {change} on {score['sites']:.0f} sites held out both times."


def notes_of_panoramas(study: Study) -> str:
    """Return remarks of the sample sheet and of the import, each with its panoramas."""
    found = {}
    imported = {one.panorama: one.notes for one in study.records}
    for name in study.panoramas:
        for note in (study.notes.get(name, ""), *imported.get(name, ())):
            if note:
                found.setdefault(note.rstrip("."), []).append(name)
    told = [f"{named(names)}: {note}" for note, names in found.items()]
    if len(told) > _MOST_NOTES:
        told = [*told[:_MOST_NOTES], f"{len(told) - _MOST_NOTES} more stand with the panoramas"]
    return ". ".join(told) + "." * bool(told)


def change_with_strain(study: Study) -> str:
    """Return the change of damage and of the control with strain, empty where it is not known."""
    table = study.table("statistics/evolution.tsv")
    if table is None:
        return ""
    rows = table[table["rate_ratio"].notna() & table["low"].notna()].set_index("class")
    if DAMAGE not in rows.index:
        return ""
    told = []
    for label, words in ((DAMAGE, DAMAGE), (INCLUSION, f"{INCLUSION}, the control,")):
        if label in rows.index:
            row = rows.loc[label]
            told.append(f"{words} {row['rate_ratio']:.2f} [{row['low']:.2f}, {row['high']:.2f}]")
    row = rows.loc[DAMAGE]
    return (
        f"sites per area at {row['strain_to_percent']:g} % over those at "
        f"{row['strain_from_percent']:g} %, with {100 * row['confidence']:g} % intervals: "
        f"{'; '.join(told)}; from {row['panoramas']:.0f} panoramas"
    )


def counted(study: Study, panorama: str | None = None) -> str:
    """Return how many sites of each class are counted in a panorama, or in all, as HTML.

    Names of classes and numbers alone: nothing in it is by a user.
    """
    if not study.classifies:
        return ""
    rows = study.densities
    if panorama:
        rows = rows[rows["panorama"] == panorama]
    rows = rows[rows["count"].notna()]
    totals = rows.groupby("class", sort=False)["count"].sum()
    if ALL not in totals.index:
        return ""
    told = [
        f"{label.replace('_', ' ')} {int(number)}"
        for label, number in totals.items()
        if label not in (ALL, DAMAGE)
    ]
    number = rows["panorama"].nunique()
    where = "" if panorama else f" in {number} panorama{'s' * (number > 1)}"
    return f"<p>n = {int(totals[ALL])} sites{where}: {', '.join(told)}.</p>"


def _scores(study):
    scores = study.table("evaluation/scores.tsv")
    if scores is None:
        untested = study.facts.get("untested") or "no labels test the networks"
        return f"none: {untested}"
    rows = scores[scores["class"] == ALL].set_index("score")
    told = [
        f"{words} {_interval(rows.loc[name])}"
        for name, words in (("macro_f1", "macro-F1"), ("kappa", "Cohen's kappa"))
    ]
    first = rows.iloc[0]
    return (
        f"{', '.join(told)}, on {int(first['support'])} labelled sites in {int(first['groups'])} "
        f"groups ({study.facts.get('tested', '')})"
    )


def _interval(row):
    if pd.isna(row["value"]):
        return "not estimated"
    if pd.isna(row["low"]):
        return f"{row['value']:.2f} (no interval: too few groups)"
    return f"{row['value']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"
