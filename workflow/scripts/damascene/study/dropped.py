"""Label files that lie in a folder beside the configuration and are used without a word in it."""

from pathlib import Path

from damascene.config.label_source import DroppedLabels
from damascene.config.study import Study

#: Folder of label files, in the folder of a study.
LABEL_FOLDER = "config/labels"


def with_dropped_labels(study: Study, *, folder: Path = Path(LABEL_FOLDER)) -> Study:
    """Add the label files of the folder to those that a study lists.

    A file that the configuration lists, too, is read once, as the configuration says. Hidden files
    are left out, as programs write such beside others.

    Parameters
    ----------
    study : Study
    folder : pathlib.Path, optional

    Returns
    -------
    Study
        With a `DroppedLabels` for each further file, by name.
    """
    known = {(Path(study.data_folder) / source.path).resolve() for source in study.labels}
    dropped = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        place = path.resolve()
        if path.suffix.lower() != ".tsv" or path.name.startswith(".") or place in known:
            continue
        known.add(place)
        dropped.append(DroppedLabels(path=str(path.absolute())))
    return study.model_copy(update={"labels": [*study.labels, *dropped]})
