"""Notes about the files of the user, as inputs of the rules that read them.

The workflow engine looks at the path and the time of a file. An image that was replaced by an older
one looks unchanged to it, and one that was moved looks new. So rules do not take the files
themselves for their inputs, but small notes about them, which are written anew when what the
files hold has changed, and only then.
"""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from damascene import InputError
from damascene.config.label_source import DroppedLabels
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.images.source_files import changed_files, folder_checksum, source_files
from damascene.labels.authors import author_named
from damascene.study.notes import read_note, write_note
from damascene.study.plan import Plan

#: The notes, below the folder of results.
PANORAMA_NOTE = "sources/panoramas/{panorama}.json"
PAIR_NOTE = "sources/paired/{panorama}.json"
LABEL_NOTE = "sources/labels.json"
#: Checksums of files whose times differ from the recorded ones, so that each is read once.
_CHECKSUMS = "sources/checksums.json"
_SHOWN = 3
# Note, folder of the product, and the record in it that says what was imported.
_PANORAMA = (PANORAMA_NOTE, "panoramas", PanoramaRecord)
_PAIR = (PAIR_NOTE, "paired", PairedScanRecord)


def note_sources(plan: Plan, *, results: Path = Path("results")) -> list[str]:
    """Write the notes of a study where they are missing or no longer right.

    Parameters
    ----------
    plan : Plan
    results : pathlib.Path, optional

    Returns
    -------
    list of str
        For the terminal: what is made again, and because of which files.
    """
    checksums = {
        place: state
        for place, state in (read_note(results / _CHECKSUMS) or {}).items()
        if isinstance(state, list) and len(state) == 4
    }
    known = dict(checksums)
    lines = []
    for name in (*plan.imported, *plan.stitched):
        files = source_files(plan.source_file(name), tile_folder=plan.tile_folder(name))
        changed = _note_images(name, files, _PANORAMA, results=results, checksums=checksums)
        if changed:
            lines.append(f"Panorama '{name}' is imported again: {_shown(changed)} changed.")
    for name in plan.paired_imported:
        files = source_files(plan.paired_file(name))
        changed = _note_images(name, files, _PAIR, results=results, checksums=checksums)
        if changed:
            lines.append(
                f"The second scan of '{name}' is imported again: {_shown(changed)} changed."
            )
    if plan.label_files:
        changed = _note_labels(plan.label_files, results / LABEL_NOTE)
        if changed:
            lines.append(f"Labels are collected again: {_shown(changed)} changed.")
    if checksums != known:
        write_note(results / _CHECKSUMS, checksums)
    return lines


def label_digest(plan: Plan, *, results: Path = Path("results")) -> str:
    """Return a name of the labels of a study, by what the files hold and how they are read.

    Of files that the configuration lists, the order matters, as the later answer counts; of those
    in the folder of labels, whom their names name. The files are as `note_sources` saw them.

    Parameters
    ----------
    plan : Plan
    results : pathlib.Path, optional
    """
    noted = (read_note(results / LABEL_NOTE) or {}).values() if plan.label_files else ()
    listed, dropped = [], []
    for checksum, settings, source in zip(
        noted, plan.label_settings, plan.study.labels, strict=False
    ):
        if isinstance(source, DroppedLabels):
            dropped.append((checksum, settings, author_named(Path(source.path))))
        else:
            listed.append((checksum, settings))
    told = [*listed, *sorted(dropped)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def _note_images(name, files, kind, *, results, checksums):
    """Write the note of images; return the files that are others than those imported."""
    pattern, folder, Record = kind
    path, changed = results / pattern.format(panorama=name), []
    imported_s = None
    note = {each: _state(place) for each, place in files}
    before = read_note(path)
    if before == note:
        return changed
    # Not imported yet, or by another version, is reason enough.
    with contextlib.suppress(InputError):
        record = Record.read(results / folder / f"{name}.json")
        changed = changed_files(record.sources, files, checksums=checksums)
        if not changed:
            # What was moved keeps the note with which it was imported.
            note = {
                one.file: [one.size_bytes, one.modified_ns, one.changed_ns]
                for one in record.sources
            }
            imported_s = min(each.stat().st_mtime for each in (results / folder).glob(f"{name}.*"))
    if before != note:
        write_note(path, note)
        if imported_s is not None:
            # Not newer than what was made from the same files.
            os.utime(path, (imported_s, imported_s))
    return changed


def _note_labels(files, path):
    """Write the note of the label files; return those that are others than those collected."""
    before = {name: sha for name, sha in (read_note(path) or {}).items() if isinstance(sha, str)}
    now = {f"{number} {file.name}": folder_checksum(file) for number, file in enumerate(files, 1)}
    if now == before:
        return []
    write_note(path, now)
    return sorted({name for name, _ in (before or now).items() ^ now.items()})


def _state(path):
    about = path.stat()
    return [about.st_size, about.st_mtime_ns, about.st_ctime_ns]


def _shown(names):
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
