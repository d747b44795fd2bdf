"""How each page of the workshop begins and ends."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from damascene.config.study import Study
from damascene.contracts.table import write_tsv
from damascene.contracts.workshop import WORKSHOP_NUMBERS
from damascene.figures.style import STYLE
from damascene.files import write_text
from damascene.workshop.cut import read_cut


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a page of the workshop knows.

    Attributes
    ----------
    name : str
        File of the notebook without its endings.
    settings : Study
        The whole configuration; `settings.workshop` is for the pages.
    seed : int
        For every random choice of the page.
    origin : str
        What the image shows: the name of the panorama, or that of the user's file.
    image : numpy.ndarray, uint8, shape (rows, columns)
        The cut that all pages look at.
    valid : numpy.ndarray, bool, same shape
        Pixels that show steel.
    colour : numpy.ndarray, uint8, shape (rows, columns, 3), or None
        Where the picture has colours.
    pixel_um : float or None
        Edge of a pixel in micrometres, None where nobody knows it.
    place : tuple of int
        Row and column of the cut in the whole image.
    files : mapping of str to path or list of paths
        Products of the study that the page reads; an empty list where the study has none.
    numbers, executed : pathlib.Path
        Where `write_numbers` writes.
    """

    name: str
    settings: Study
    seed: int
    origin: str
    image: np.ndarray
    valid: np.ndarray
    colour: np.ndarray | None
    pixel_um: float | None
    place: tuple[int, int]
    files: Mapping[str, Any]
    numbers: Path
    executed: Path

    def write_numbers(self, numbers: Mapping[str, float]) -> None:
        """Write the numbers that the page tells, by which it is tested, and when it told them.

        Parameters
        ----------
        numbers : mapping of str to float
            By names that hold their unit; NaN where the study has nothing to count.
        """
        table = pd.DataFrame(
            {"quantity": list(numbers), "value": [float(each) for each in numbers.values()]}
        )
        write_tsv(table, self.numbers, WORKSHOP_NUMBERS)
        write_text(self.executed, f"{datetime.now(UTC).isoformat()}\n")


def start_page(job: Any) -> Page:
    """Return what a page knows, and give its figures the style of the project.

    Pages run on processors: a GPU that the job did not ask for is hidden from its networks.

    Parameters
    ----------
    job : the object `snakemake` of the rule
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    mpl.use("agg")
    mpl.rcParams.update(STYLE)
    cut = read_cut(job.input.cut)
    files = {name: job.input.get(name) for name in job.input.keys() if name != "cut"}  # noqa: SIM118
    return Page(
        name=job.wildcards.page,
        settings=Study.model_validate_json(job.params.study),
        seed=job.params.seed,
        origin=job.params.origin,
        image=cut.grey,
        valid=cut.valid,
        colour=cut.colour,
        pixel_um=cut.pixel_um,
        place=cut.place,
        files=files,
        numbers=Path(job.output.numbers),
        executed=Path(job.output.executed),
    )
