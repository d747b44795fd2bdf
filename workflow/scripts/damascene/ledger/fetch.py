"""Public files by their checksum: from a folder that was filled by hand, or from their record."""

import logging
import shutil
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from damascene.classification.published import REGISTRY
from damascene.files import written_whole
from damascene.images.source_files import checksum

logger = logging.getLogger(__name__)

#: Public images by their checksum; those of networks are in `published.REGISTRY`.
IMAGES = Path(__file__).parents[4] / "resources/public_images.tsv"
_TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class PublicFile:
    """A file of a public record.

    Attributes
    ----------
    name, sha256, doi : str
    stage : str
        Stage of a network, empty for an image.
    path : pathlib.Path or None
        Where it lies, None if it could not be had.
    reason : str
        Why not.
    """

    name: str
    sha256: str
    doi: str
    stage: str = ""
    path: Path | None = None
    reason: str = ""


def public_files(registries: Iterable[str | Path] = (REGISTRY, IMAGES)) -> list[PublicFile]:
    """Return all public files that are known by their checksum."""
    files = []
    for registry in registries:
        table = pd.read_csv(registry, sep="\t", dtype=str, keep_default_na=False)
        files += [
            PublicFile(
                name=row["file"], sha256=row["sha256"], doi=row["doi"], stage=row.get("stage", "")
            )
            for _, row in table.iterrows()
        ]
    return files


def have_file(file: PublicFile, *, folder: str | Path, fetch: bool) -> PublicFile:
    """Return a public file with its place, or with the reason why it is not available.

    Parameters
    ----------
    file : PublicFile
    folder : path
        Where it is sought first, and put when it is fetched.
    fetch : bool
        Whether it may be fetched from its record.
    """
    path = Path(folder) / file.name
    if path.is_file():
        if checksum(path) == file.sha256:
            return _at(file, path)
        return _without(
            file,
            f"{path} is another file: its SHA-256 checksum is not {file.sha256[:12]}... Replace it "
            f"by that of the record, https://doi.org/{file.doi}",
        )
    if not fetch:
        return _without(
            file,
            f"{path} is not there and 'reproduce: fetch' is false. Take it from "
            f"https://doi.org/{file.doi} and put it there",
        )
    try:
        _download(file, path)
    # A network fails in many ways, and none of them is a fault of the study.
    except OSError as error:
        return _without(
            file,
            f"{file.name} could not be fetched ({error}). Take it from "
            f"https://doi.org/{file.doi} by hand and put it into {folder}",
        )
    if checksum(path) != file.sha256:
        path.unlink()
        return _without(
            file, f"what https://doi.org/{file.doi} gave as {file.name} has another checksum"
        )
    return _at(file, path)


def _download(file, path):
    record = file.doi.rsplit(".", 1)[-1]
    url = f"https://zenodo.org/records/{record}/files/{file.name}?download=1"
    logger.info("fetching %s", url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer,
        written_whole(path) as (part,),
        part.open("wb") as target,
    ):
        shutil.copyfileobj(answer, target)


def _at(file, path):
    return PublicFile(**{**vars(file), "path": path, "reason": ""})


def _without(file, reason):
    logger.warning("%s", reason)
    return PublicFile(**{**vars(file), "path": None, "reason": reason})
