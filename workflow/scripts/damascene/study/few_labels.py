"""What is said of labels that are too few to train networks or to test them.

The check of the study finds it out; every job asks here, without any contract.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from damascene.classes import SITE_CLASSES
from damascene.config.study import Study
from damascene.labels import ROLES
from damascene.study.notes import read_note, write_note

#: Below the folder of results: what the last check of the study found, for jobs and the report.
_NOTE = "sources/few_labels.json"
_ASK = "run the targets review and viewer (docs/labelling.md)"
_FIRST_LOOK = "for a first look now set 'models: simulated'"


@dataclass(frozen=True)
class FewLabels:
    """Labelled sites that do not suffice.

    Attributes
    ----------
    counts : mapping of class to int
        Labelled sites of each class.
    reason : str
        What is missing, and what to do; whole sentences.
    """

    counts: Mapping[str, int]
    reason: str

    @property
    def counted(self) -> str:
        """How many labelled sites there are of each class, and how many are needed."""
        each = ", ".join(f"{self.counts.get(name, 0)} {name}" for name in SITE_CLASSES)
        return f"{each}; needed are {ROLES} of each class, in {ROLES} places"


def keep_few_labels(few: FewLabels | None, *, results: Path = Path("results")) -> None:
    """Keep what was found for the jobs of this run, which do not look at labels again."""
    path = results / _NOTE
    if few is None:
        path.unlink(missing_ok=True)
        return
    if kept_few_labels(results) != few:
        write_note(path, asdict(few))


def kept_few_labels(results: Path = Path("results")) -> FewLabels | None:
    """Return what the last check of the study found; None where its labels suffice."""
    note = read_note(results / _NOTE)
    return FewLabels(**note) if note and note.keys() == {"counts", "reason"} else None


def unclassified_note(study: Study, few: FewLabels | None) -> str:
    """Return what is said of a study that classifies no site, and what to do.

    Parameters
    ----------
    study : Study
    few : FewLabels or None
        None for a study without any label.
    """
    maps = "" if study.segmentation.method == "none" else ", phases are mapped"
    if few is None:
        return (
            f"There are no labels of sites and no 'models': candidates are found{maps}, and no "
            f"site is classified. To label your first sites, {_ASK}; {_FIRST_LOOK}."
        )
    return (
        f"No network is trained yet, and no site is classified. Labelled sites: {few.counted}. "
        f"{few.reason} Until then candidates are found{maps}, and every answer is kept and shown. "
        f"To label more sites, {_ASK}; {_FIRST_LOOK}."
    )
