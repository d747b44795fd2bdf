"""Which rule made each product from what: from what the workflow engine remembers of its jobs."""

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from damascene.provenance.checksums import Content, files_of

#: Between the inputs of a product.
SEPARATOR = "|"


@dataclass(frozen=True)
class Job:
    """A job that has run.

    Attributes
    ----------
    rule : str
    inputs, outputs : tuple of str
        Paths as in the rules.
    started, ended : str
        In ISO 8601, UTC; empty where the engine does not know.
    """

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    started: str
    ended: str


def jobs_that_ran(memory: Path, products: Iterable[str]) -> list[Job]:
    """Return the jobs that made some products.

    Parameters
    ----------
    memory : pathlib.Path
        Folder `.snakemake/metadata`: a JSON file for each product, its path in base64 the name.
    products : iterable of str
        Paths as in the rules; a folder is known to the engine, and the files in it are not.

    Returns
    -------
    list of Job
        In the order of their start. Products of which the engine remembers nothing are in none.
    """
    wanted, by_job = set(products), {}
    for path in sorted(memory.rglob("*")) if memory.is_dir() else []:
        product = _decoded(path, memory)
        if product not in wanted:
            continue
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        inputs = tuple(map(str, record.get("input") or ()))
        times = (record.get("starttime"), record.get("endtime"))
        # The outputs of a job have one start, and end one after the other.
        key = (str(record.get("rule") or ""), inputs, times[0])
        made = files_of([product]) if Path(product).is_dir() else [product]
        by_job.setdefault(key, []).extend((each, times[1]) for each in made)
    jobs = [
        Job(
            rule,
            inputs,
            tuple(sorted(product for product, _ in made)),
            _time(start),
            _time(max((end for _, end in made if end), default=None)),
        )
        for (rule, inputs, start), made in by_job.items()
    ]
    return sorted(jobs, key=lambda job: (job.started, job.rule, job.outputs))


def _decoded(path, memory):
    """Return the product that a file is about; long names are cut into folders that begin with @.

    Other names mean none.
    """
    name = "".join(part.removeprefix("@") for part in path.relative_to(memory).parts)
    try:
        return base64.b64decode(name, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _time(seconds):
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def lineage_table(jobs: Sequence[Job], contents: Sequence[Content]) -> pd.DataFrame:
    """Return what each product was made from, by which rule, and its checksum.

    Returns
    -------
    pandas.DataFrame
        `LINEAGE`.
    """
    made_by = {product: job for job in jobs for product in job.outputs}
    rows = []
    for content in contents:
        job = made_by.get(content.path)
        rows.append(
            {
                "product": content.path,
                "rule": job.rule if job else "",
                "made_from": SEPARATOR.join(job.inputs) if job else "",
                "started": job.started if job else "",
                "ended": job.ended if job else "",
                "size_bytes": content.size_bytes,
                "sha256": content.sha256,
            }
        )
    return pd.DataFrame(
        rows,
        columns=["product", "rule", "made_from", "started", "ended", "size_bytes", "sha256"],
    )
