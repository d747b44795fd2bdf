"""What label files name, before anything is checked: panoramas and classes."""

import contextlib
from collections import Counter
from pathlib import Path

from damascene import InputError
from damascene.classes import class_named
from damascene.config.study import Study
from damascene.contracts.text_tables import read_rows
from damascene.labels import ROLES


def mentioned_in_labels(study: Study) -> tuple[set[str], frozenset[str]]:
    """Return what the label files name, whether the study knows it or not.

    Only labelled panoramas are waited for by trainings. Files that cannot be read mention nothing
    here; the check of the study says what is wrong with them.

    Returns
    -------
    panoramas : set of str
    classes : frozenset of str
        Those in enough rows for training, validation and test.
    """
    found, counts = set(), Counter()
    for source in study.labels:
        told = {source.columns.get("label", "label"), *source.annotators}
        panorama = source.columns.get("panorama", "panorama")
        with contextlib.suppress(InputError):
            _, rows = read_rows(Path(study.data_folder) / source.path, what="label file")
            for _, cells in rows:
                answers = {class_named(cells.get(name, "")) for name in told} - {""}
                counts.update(answers)
                if answers:
                    found.add(source.panorama or cells.get(panorama, ""))
    return found, frozenset(name for name, count in counts.items() if count >= ROLES)
