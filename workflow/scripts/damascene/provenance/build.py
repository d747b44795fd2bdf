"""Provenance of a study as files."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from damascene.contracts.lineage import LINEAGE
from damascene.contracts.table import write_tsv
from damascene.files import write_text
from damascene.provenance.crate import Deposit, crate_metadata, lineage, write_archive


def write_provenance(deposit: Deposit, *, crate: str | Path, table: str | Path) -> None:
    """Write the metadata of the crate, and the lineage of all products as a table.

    Parameters
    ----------
    deposit : Deposit
    crate, table : path
    """
    write_text(crate, as_json(crate_metadata(deposit)))
    write_tsv(lineage(deposit), table, LINEAGE)


def pack(deposit: Deposit, path: str | Path, *, images: bool) -> str:
    """Write the archive and say how large its parts are.

    Parameters
    ----------
    deposit : Deposit
    path : path
    images : bool
        See `crate.write_archive`.
    """
    settings: Mapping = json.loads(json.dumps(deposit.settings))
    sizes = write_archive(
        deposit,
        path,
        crate=as_json(crate_metadata(deposit, images=images)),
        settings=yaml.safe_dump(settings, sort_keys=False),
        images=images,
    )
    lines = [f"{path}: {megabytes(Path(path).stat().st_size)}"]
    for folder, size in sorted(sizes.items(), key=lambda each: -each[1]):
        lines.append(f"  {megabytes(size):>10} before compression in {folder}")
    return "\n".join(lines)


def as_json(content: Mapping) -> str:
    """Return JSON for people and machines."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def megabytes(size: int) -> str:
    """Write a number of bytes."""
    return f"{size / 1e6:.1f} MB"
