"""What is said of labels that are too few to train networks or to test them.

The check of the study finds it out; every job asks here, without any contract.
"""

from dataclasses import asdict
from pathlib import Path

from damascene.config.study import Study
from damascene.labels.few import FewLabels
from damascene.study.notes import read_note, write_note

#: Below the folder of results: what the last check of the study found, for jobs and the report.
_NOTE = "sources/few_labels.json"
_ASK = "run the targets review and viewer (docs/labelling.md)"
_FIRST_LOOK = "for a first look now set 'models: simulated'"


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
