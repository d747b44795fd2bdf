"""Size of the jobs of a study, from what is known: the configuration, headers, earlier results.

All functions are cheap, as the workflow engine asks for the size of every job while it plans. They
look at the one panorama at hand; sums over the study follow from some of its panoramas.
"""

import functools
import math
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.classes import SITE_CLASSES, STAGES
from damascene.config.denoising import EPOCH_MEGAPIXELS
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.text_tables import read_rows
from damascene.images.formats import parse_header
from damascene.images.grids import is_table, read_grid
from damascene.images.source_files import files_in
from damascene.images.stitching.frames import is_stitched
from damascene.jobs.resources import Size
from damascene.jobs.unit_costs import UnitCost, cost_of
from damascene.networks import COST_KINDS, network_named

#: Candidates a megapixel to expect (simulated steel at 12 % strain and 40 nm a pixel).
EXPECTED_PER_MEGAPIXEL = 10.0
#: Candidates a megapixel to be ready for: noise and other thresholds find more.
MOST_PER_MEGAPIXEL = 20.0
#: Rules of which a job works on one of the strips that a panorama is divided into.
_ON_STRIPS = (
    "denoise_strip",
    "denoise_strip_by_network",
    "find_dark_pixels",
    "describe_strip",
    "classify_strip",
)
#: Panoramas that stand for all when sizes are added up.
_SAMPLE = 25


def job_cost(
    costs: dict[tuple[str, str], UnitCost], rule: str, *, study: Study, stage: str | None = None
) -> UnitCost:
    """Return the unit costs of a rule in a study: its networks and methods matter.

    Without a stage, the heavier of both networks counts.
    """
    stages = (stage,) if stage else STAGES
    kinds = {network_named(study.stage(each).network).cost_kind for each in stages}
    heaviest = max(kinds, key=COST_KINDS.index)
    maps = study.segmentation
    return cost_of(costs, rule, heaviest, study.denoise.method, maps.method, maps.network)


def job_size(
    cost: UnitCost,
    *,
    study: Study,
    sheet: pd.DataFrame,
    panorama: str | None = None,
) -> Size:
    """Return the size of a job of a rule with these costs.

    Parameters
    ----------
    cost : UnitCost
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.
    panorama : str, optional
        That of the job, for rules that work on one.
    """
    if cost.scope in ("labels", "epochs"):
        passes = study.training.epochs if cost.scope == "epochs" else 1
        return Size(sites=passes * expected_labels(study, sheet))
    if cost.scope == "denoiser":
        return Size(megapixels=EPOCH_MEGAPIXELS * study.denoise.epochs)
    if cost.scope == "patches":
        return Size(sites=study.segmentation.epochs * study.segmentation.patches)
    names = [panorama]
    if panorama is None:
        # Evenly spread, so that a change of magnification on the way is in it.
        picked = np.linspace(0, len(sheet) - 1, min(len(sheet), _SAMPLE)).round().astype(int)
        names = list(sheet.index[picked])
    factor = 1 if panorama else len(sheet) / len(names)
    sizes = [panorama_size(name, study=study, sheet=sheet) for name in names]
    return Size(
        megapixels=factor * sum(size.megapixels for size in sizes),
        sites=factor * sum(size.sites for size in sizes),
    )


def strip_size(size: Size, rule: str, *, study: Study) -> Size:
    """Return the size of a job of a rule on a panorama of this size: less where strips share it."""
    strips = study.strips if rule in _ON_STRIPS else 1
    return Size(megapixels=size.megapixels / strips, sites=size.sites / strips)


def panorama_size(name: str, *, study: Study, sheet: pd.DataFrame) -> Size:
    """Return megapixels and candidates of a panorama, as far as they are known.

    The pixels of a simulated panorama are in the configuration; those of any other in its record
    once it has been imported, before that in the header of its image. Stitched frames are counted
    without their overlap. Candidates are counted once they have been found.
    """
    megapixels = _megapixels(name, study, sheet)
    found = candidates_found(name)
    sites = MOST_PER_MEGAPIXEL * megapixels if found is None else found
    return Size(megapixels=megapixels, sites=sites)


def candidates_found(name: str) -> int | None:
    """Return the number of candidates of a panorama, None before they have been found."""
    path = Path(f"results/candidates/{name}.parquet")
    if not path.exists():
        return None
    # Here, as planning a new study need not wait for it.
    import pyarrow.parquet

    try:
        return pyarrow.parquet.read_metadata(path).num_rows
    except (OSError, pyarrow.ArrowInvalid):
        # Just being written.
        return None


def expected_labels(study: Study, sheet: pd.DataFrame) -> int:
    """Return the number of labelled sites: rows of the label files, and what is drawn at most."""
    given = sum(_rows((Path(study.data_folder) / source.path).resolve()) for source in study.labels)
    simulation = study.simulation
    area = simulation.width_px * simulation.height_px / 1e6
    drawn = min(
        len(SITE_CLASSES) * simulation.labels_per_class,
        round(EXPECTED_PER_MEGAPIXEL * simulation.labelled_fraction * area),
    )
    return given + drawn * int((sheet["path"] == SIMULATED).sum())


def _megapixels(name, study, sheet):
    if sheet["path"][name] == SIMULATED:
        return study.simulation.width_px * study.simulation.height_px / 1e6
    path = Path("results/panoramas", f"{name}.json").absolute()
    try:
        return _recorded_megapixels(path, path.stat().st_mtime_ns)
    except (OSError, InputError):
        columns = ("path", "tile_folder", "page", "overlap_percent")
        return _source_megapixels(
            Path(study.data_folder).absolute(), *(sheet[column][name] for column in columns)
        )


@functools.cache
def _recorded_megapixels(path, _):
    record = PanoramaRecord.read(path)
    return record.width_px * record.height_px / 1e6


@functools.cache
def _source_megapixels(folder, source, tile_folder, page, overlap_percent):
    path, page = folder / source, None if math.isnan(page) else int(page)
    tile_folder = folder / tile_folder if tile_folder else None
    if not is_table(path):
        header, images = parse_header(path, page=page), 1
    elif is_stitched(path, overlap_percent):
        _, frames = read_rows(path, what="list of frames")
        first = frames[0][1]["file"]
        header = parse_header((tile_folder or path.parent) / first, page=page)
        images = len(frames)
    else:
        cells = read_grid(path, tile_folder=tile_folder)
        header = parse_header(cells[0].path, page=page)
        images = (1 + max(cell.row for cell in cells)) * (1 + max(cell.column for cell in cells))
    return images * header.width_px * header.height_px / 1e6


@functools.cache
def _rows(path):
    # An object of XML or of JSON takes several lines, or none of its own: a bound is enough.
    rows = 0
    for each in files_in(path):
        with each.open("rb") as file:
            rows += max(sum(1 for line in file if line.strip()) - 1, 0)
    return rows
