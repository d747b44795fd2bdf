"""What a set of labels gave: kept, so that later labels can be held against it.

A state has the name of its labels (their checksum). The same labels have one state, however often
they run, and other labels leave it where it is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.corrected import CORRECTED
from damascene.contracts.held_out import HELD_OUT
from damascene.contracts.label_history import BLOCK_COUNTS, LabelledPanorama, LabelStateRecord
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table, read_table, write_table
from damascene.versions import IMAGE_PACKAGES, package_versions

#: Blocks along each edge of a panorama.
BLOCKS = 8
#: Keys of the configuration that change no number.
_NEUTRAL = ("study", "labels", "data_folder", "strips")


@dataclass(frozen=True, kw_only=True)
class LabelState:
    """What a set of labels gave.

    Attributes
    ----------
    record : LabelStateRecord
    held_out, corrected, blocks : pandas.DataFrame
        `HELD_OUT`, `CORRECTED` and `BLOCK_COUNTS`.
    """

    record: LabelStateRecord
    held_out: pd.DataFrame
    corrected: pd.DataFrame
    blocks: pd.DataFrame

    def write(self, path: str | Path) -> None:
        """Write the record to a path, and the tables beside it; see `paths_of`."""
        for (table, contract), place in zip(self._tables(), paths_of(path)[1:], strict=True):
            write_table(table, place, contract)
        self.record.write(path)

    def _tables(self) -> Iterator:
        yield self.held_out, HELD_OUT
        yield self.corrected, CORRECTED
        yield self.blocks, BLOCK_COUNTS

    @classmethod
    def read(cls, path: str | Path) -> "LabelState":
        """Read a state by the path of its record.

        Raises
        ------
        InputError
            If a file is missing or damaged.
        """
        _, held_out, corrected, blocks = paths_of(path)
        return cls(
            record=LabelStateRecord.read(path),
            held_out=read_table(held_out, HELD_OUT),
            corrected=read_table(corrected, CORRECTED),
            blocks=read_table(blocks, BLOCK_COUNTS),
        )


def paths_of(path: str | Path) -> list[Path]:
    """Return the files of a state: the record, held-out sites, corrected counts, blocks."""
    path = Path(path)
    tables = ("held_out", "corrected", "blocks")
    return [path, *(path.with_suffix(f".{name}.parquet") for name in tables)]


def label_state(
    labels: pd.DataFrame,
    held_out: pd.DataFrame,
    corrected: pd.DataFrame,
    sites: Iterator[pd.DataFrame],
    records: Sequence[PanoramaRecord],
    *,
    configuration: Mapping,
    library: str,
    confidence: float,
    now: datetime | None = None,
) -> LabelState:
    """Gather what the labels of a run gave.

    Parameters
    ----------
    labels, held_out, corrected : pandas.DataFrame
        `LABELLED_SITES`, `HELD_OUT` and `CORRECTED`.
    sites : iterator of pandas.DataFrame
        `SITES` of each panorama, taken one by one.
    records : sequence of PanoramaRecord
        Of all panoramas, in the same order.
    configuration : mapping
        With every key.
    library : str
        Version of the workflow.
    confidence : float
        Of all intervals.
    now : datetime, optional
        The time of the state; the present one if not given.
    """
    people = {name for each in labels["annotator"] for name in each.split(ANSWER_SEPARATOR)}
    counts = labels["label"].value_counts()
    record = LabelStateRecord(
        written=(now or datetime.now(UTC)).isoformat(timespec="seconds"),
        labels={name: int(counts.get(name, 0)) for name in SITE_CLASSES},
        people=len(people),
        confidence=confidence,
        settings=settings_of(configuration),
        library=library,
        panoramas={
            one.panorama: LabelledPanorama(
                pixel_size_nm=one.pixel_size_nm,
                valid_area_mm2=one.valid_area_mm2,
                content=_content(one),
            )
            for one in records
        },
        versions=package_versions(*IMAGE_PACKAGES),
    )
    parts = [
        block_counts(part, width_px=one.width_px, height_px=one.height_px)
        for part, one in zip(sites, records, strict=True)
    ]
    blocks = pd.concat([empty_table(BLOCK_COUNTS), *parts])
    blocks = check_table(blocks, BLOCK_COUNTS, source="sites by block")
    return LabelState(record=record, held_out=held_out, corrected=corrected, blocks=blocks)


def _content(record):
    sums = "".join(one.sha256 for one in record.sources)
    return sha256(sums.encode()).hexdigest() if sums else ""


def settings_of(configuration: Mapping) -> dict[str, str]:
    """Return the keys of a configuration with their values as JSON, without labels and places."""
    found = {}
    for name, value in configuration.items():
        if name in _NEUTRAL:
            continue
        if isinstance(value, Mapping):
            inner = settings_of(value)
            found |= {f"{name}.{key}": each for key, each in inner.items()}
        else:
            found[name] = json.dumps(value, sort_keys=True)
    return found


def block_counts(sites: pd.DataFrame, *, width_px: int, height_px: int) -> pd.DataFrame:
    """Count the sites of a panorama by class in 8 x 8 blocks.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of one panorama.
    width_px, height_px : int

    Returns
    -------
    pandas.DataFrame
        `BLOCK_COUNTS`; blocks without a site of a class have no row for it.
    """
    at = {
        name: np.clip((sites[axis] + 0.5) * BLOCKS // edge, 0, BLOCKS - 1).astype(int)
        for name, axis, edge in (("row", "y_px", height_px), ("column", "x_px", width_px))
    }
    keys = ["panorama", "row", "column", "class"]
    table = sites[["panorama", "class"]].assign(**at)
    return table.groupby(keys, as_index=False).size().rename(columns={"size": "count"})


def state_before(path: str | Path) -> LabelState | None:
    """Return the latest state of other labels beside a state, None where there is none.

    Parameters
    ----------
    path : path of the record of the newest state
        The others lie in its folder.

    Raises
    ------
    InputError
        If the file of a state is damaged.
    """
    path = Path(path)
    others = [
        other
        for other in sorted(path.parent.glob("*.json"))
        if other.name != path.name and not other.name.startswith(".")
    ]
    if not others:
        return None
    written = {other: LabelStateRecord.read(other).written for other in others}
    return LabelState.read(max(others, key=written.__getitem__))


def other_changes(before: LabelStateRecord, after: LabelStateRecord) -> list[str]:
    """Return what else than labels differs between two states, in words.

    Parameters
    ----------
    before, after : LabelStateRecord
    """
    keys = sorted(before.settings.keys() | after.settings.keys())
    lines = [key for key in keys if before.settings.get(key) != after.settings.get(key)]
    if before.library != after.library:
        lines.append(f"the version of the workflow ({before.library}, now {after.library})")
    names = sorted(before.panoramas.keys() ^ after.panoramas.keys())
    if names:
        lines.append(f"panoramas in the sample sheet ({', '.join(names)})")
    images = [
        name
        for name in sorted(before.panoramas.keys() & after.panoramas.keys())
        if before.panoramas[name] != after.panoramas[name]
    ]
    if images:
        lines.append(f"images, their pixel size or valid area ({', '.join(images)})")
    return lines
