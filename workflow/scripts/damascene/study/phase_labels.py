"""What a study says of phases, checked before work: label images, legend, what is learned."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.classes import PHASE_VALUES
from damascene.config.segmentation import CLASSICAL
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.files import write_json
from damascene.images.source_files import checksum
from damascene.problems import told_together
from damascene.seeds import derive_seed
from damascene.segmentation.label_images import (
    LabelCounts,
    count_labels,
    label_header,
    require_legend,
    require_size,
)
from damascene.segmentation.parts import FOLDS_PURPOSE, VALIDATION_FOLD, folds_of_panoramas
from damascene.study.models import SHIPPED_PHASE_MODEL, check_shipped
from damascene.study.sheet import row_of

#: Notes about the label images, as inputs of the rule that reads them; below the results.
PHASE_LABEL_NOTE = "sources/phase_labels/{panorama}.json"
# What label images hold, so that each is decoded once.
_COUNTS = "sources/phase_labels.json"
#: Phases that the simulator knows.
SIMULATED_PHASES = tuple(name for name in PHASE_VALUES if name != "outside")


def legend_of(study: Study) -> dict[str, int]:
    """Return the grey value of each phase in label images, in the order of phase maps."""
    return {name: phase.label for name, phase in study.segmentation.phases.items()}


def label_image_of(study: Study, sheet: pd.DataFrame, panorama: str) -> Path | None:
    """Return the path of a panorama's label image, None where it has none."""
    path = sheet["phase_labels"][panorama]
    return Path(study.data_folder) / path if path else None


def simulated_have_labels(study: Study) -> bool:
    """Say whether the truth of simulated panoramas names the phases of a study."""
    return set(study.segmentation.phases) <= set(SIMULATED_PHASES)


def check_phases(
    study: Study,
    sheet: pd.DataFrame,
    *,
    sizes_px: Mapping[str, tuple[int, int]],
    results: Path = Path("results"),
) -> None:
    """Check the label images of a study, and that there is something to learn from.

    Parameters
    ----------
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.
    sizes_px : mapping of str to (int, int)
        Columns and rows of the panoramas whose exact size is known.
    results : pathlib.Path, optional
        Where is kept what was counted.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    if study.segmentation.method == "none":
        return
    found = {}
    with told_together() as problems, _kept_counts(results / _COUNTS) as known:
        for name in sheet.index[sheet["phase_labels"] != ""]:
            with problems.kept():
                path = label_image_of(study, sheet, name)
                found[name] = _checked_image(
                    study, path, name, size_px=sizes_px.get(name), known=known
                )
    with told_together() as problems:
        with problems.kept():
            _check_ready_made(study)
        if study.segmentation.method in ("train", *CLASSICAL):
            with problems.kept():
                _check_lessons(study, sheet, found)


def _checked_image(study, path, name, *, size_px, known):
    where = f"{study.panoramas}, row {row_of(name, Path(study.panoramas))}, column 'phase_labels'"
    if not path.is_file():
        raise InputError(
            f"{where}: there is no file {path}. Correct the path or 'data_folder' in the "
            "configuration."
        )
    try:
        header = label_header(path)
        if size_px is not None:
            shape = (header.height_px, header.width_px)
            require_size(shape, size_px[::-1], panorama=name, path=path)
        counts = _counted(path, known)
        legend = legend_of(study)
        require_legend(counts, legend, unlabelled=study.segmentation.unlabelled, path=path)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    return {phase: counts.greys.get(value, (0,))[0] for phase, value in legend.items()}


def _check_ready_made(study):
    phases = study.segmentation.phases
    if study.segmentation.method == SIMULATED and set(phases) != set(SIMULATED_PHASES):
        raise InputError(
            f"segmentation.method: the network that learned from simulated steel knows "
            f"{', '.join(SIMULATED_PHASES)}; the phases of this study are {', '.join(phases)}. Use "
            "'train' with label images of your own, or those phases."
        )
    if study.segmentation.method == SIMULATED:
        check_shipped(SHIPPED_PHASE_MODEL, key="segmentation.method")


def _check_lessons(study, sheet, found):
    """Refuse a training without any label, or without one of the phases."""
    method, phases = study.segmentation.method, study.segmentation.phases
    simulated = list(sheet.index[sheet["path"] == SIMULATED])
    if not simulated_have_labels(study):
        simulated = []
    if not found and not simulated:
        raise InputError(
            f"segmentation.method: '{method}' learns from label images, and the study has none. "
            f"Name at least one in the column 'phase_labels' of {study.panoramas}, or choose "
            "another method."
        )
    # Large pieces of steel with all phases that the simulator knows.
    found = found | {name: dict.fromkeys(phases, 1) for name in simulated}
    missing = [name for name in phases if not any(counts[name] for counts in found.values())]
    if missing:
        raise InputError(
            f"segmentation.method: '{method}' cannot learn {' and '.join(missing)}: no pixel of a "
            "label image has it. Label some of it, or take it out of 'segmentation: phases'."
        )
    folds = folds_of_panoramas(
        found, folds=study.segmentation.folds, seed=derive_seed(study.seed, FOLDS_PURPOSE)
    )
    if method != "train" or folds is None:
        # The training looks at blocks itself, before it learns.
        return
    train = [counts for name, counts in found.items() if folds[name] != VALIDATION_FOLD]
    missing = [name for name in phases if not any(counts[name] for counts in train)]
    if missing:
        held = ", ".join(name for name, fold in folds.items() if fold == VALIDATION_FOLD)
        raise InputError(
            f"segmentation.method: the part that trains has no {' and '.join(missing)}: "
            f"only {held} has it, which decides when training stops. Label it in another panorama, "
            "or change 'segmentation: folds' or the seed."
        )


def note_phase_labels(
    study: Study, sheet: pd.DataFrame, *, results: Path = Path("results")
) -> list[str]:
    """Write the notes about label images where they are missing or no longer right.

    Returns
    -------
    list of str
        For the terminal: which labels are read again.
    """
    lines = []
    if study.segmentation.method == "none":
        return lines
    for name in sheet.index[sheet["phase_labels"] != ""]:
        path = results / PHASE_LABEL_NOTE.format(panorama=name)
        note = {"sha256": checksum(label_image_of(study, sheet, name))}
        before = _read(path)
        if before == note:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, note)
        if before is not None:
            lines.append(
                f"The phases of panorama '{name}' are read again: its label image changed."
            )
    return lines


def _counted(path, known):
    about = path.stat()
    place, state = str(path.resolve()), [about.st_size, about.st_mtime_ns, about.st_ctime_ns]
    kept = known.get(place)
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if kept["state"] == state:
            greys = {int(value): tuple(each) for value, each in kept["greys"].items()}
            return LabelCounts(shape=tuple(kept["shape"]), greys=greys)
    counts = count_labels(path)
    known[place] = {"state": state, "shape": list(counts.shape), "greys": counts.greys}
    return counts


@contextlib.contextmanager
def _kept_counts(path: Path) -> Iterator[dict[str, dict]]:
    """Give what earlier starts counted, and keep what is counted now.

    A file that is missing, damaged or not writable does no harm.
    """
    known = _read(path) or {}
    before = dict(known)
    try:
        yield known
    finally:
        if known != before:
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, known)


def _read(path):
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else None
    return None
