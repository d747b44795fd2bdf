"""Check everything the user handed in before any work starts, from headers and text alone."""

import math
import shlex
import time
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pandas as pd

from damascene import InputError
from damascene.classes import STAGES
from damascene.config.simulation import SIMULATED, Simulation
from damascene.config.study import Study, load_study
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.images.found_bars import kept_bars
from damascene.images.pixel_sizes import agree_on_pixel_size
from damascene.images.source_files import files_in
from damascene.images.sources import open_source
from damascene.images.stitching.frames import is_stitched, open_frames
from damascene.labels.divide import Extent
from damascene.labels.tiles import Tiles, grid_tiles, nominal_tiles
from damascene.networks import IMAGENET, network_named
from damascene.problems import told_together
from damascene.study.denoising_plan import check_denoising
from damascene.study.dropped import unread_notes
from damascene.study.few_labels import keep_few_labels, unclassified_note
from damascene.study.few_tied_labels import few_tied_labels
from damascene.study.label_check import (
    check_label_panoramas,
    check_labels,
    few_labels,
    nearest_panorama,
)
from damascene.study.models import check_pixel_size, model_folder, read_cards
from damascene.study.pairs import check_pair
from damascene.study.phase_labels import check_phases
from damascene.study.sheet import image_options, row_of
from damascene.study.workshop import check_workshop
from damascene.units import area_px, length_px

# A file may be this many seconds ahead of the clock, as on a network disk.
_AHEAD_S = 10
# Blocks in which grey levels are measured have at least this edge.
_LEAST_BLOCK_PX = 32
# A block may hold a whole panorama; one so much larger is no length that was meant.
_MOST_EDGES = 10
# Below the folder of results.
_BARS = "sources/data_bars.json"


def check_study(study: Study, sheet: pd.DataFrame) -> list[str]:
    """Check images, pixel sizes, lengths and labels of a study.

    Parameters
    ----------
    study : Study
    sheet : pandas.DataFrame
        `PANORAMAS`, indexed by panorama.

    Returns
    -------
    list of str
        For the terminal: how many panoramas and labels of each class were read.

    Raises
    ------
    InputError
        For all that would stop the study later on; labels are read once the panoramas are sound.
    """
    with kept_bars(Path("results", _BARS)) as bars:
        return _check_all(study, sheet, bars)


def _check_all(study, sheet, bars):
    sizes, tiles, pixel_sizes_nm = {}, {}, {}
    with told_together() as problems:
        for check in (_check_clock, _check_reference, check_label_panoramas, _check_effects):
            with problems.kept():
                check(study, sheet)
        with problems.kept():
            _check_weights(study)
        cards = {}
        with problems.kept():
            folder = model_folder(study)
            cards = {} if folder is None else read_cards(folder)
        for name, row in sheet.iterrows():
            with problems.kept():
                found = _check_panorama(name, row, study, bars)
                sizes[name], tiles[name], pixel_size_nm = found
                pixel_sizes_nm[name] = pixel_size_nm
                check_pair(
                    name, row, study, size_px=sizes[name], pixel_size_nm=pixel_size_nm, bars=bars
                )
                _check_windows(name, sizes[name], pixel_size_nm, study)
                _check_lengths(name, sizes[name], pixel_size_nm, study)
                if _divides_labels(study, sheet):
                    _check_blocks(name, pixel_size_nm, study)
                _check_reach(name, pixel_size_nm, study)
                check_pixel_size(cards, panorama=name, pixel_size_nm=pixel_size_nm)
        with problems.kept():
            check_phases(study, sheet, sizes_px=_exact(sizes, study, sheet))
        with problems.kept():
            check_denoising(study, sheet)
        with problems.kept():
            check_workshop(
                study.workshop, panoramas=sheet.index, sizes_px=_exact(sizes, study, sheet)
            )
    given = check_labels(
        study,
        sizes_px=sizes,
        tiles=tiles,
        pixel_sizes_nm=pixel_sizes_nm,
        exact=set(_exact(sizes, study, sheet)),
    )
    simulated = (sheet["path"] == SIMULATED).any()
    few = None
    # How many labels the truth of a simulated panorama will give is not known beforehand.
    if given and not simulated:
        extents = {
            name: Extent(name, *sizes[name], pixel_sizes_nm[name]) for name in pixel_sizes_nm
        }
        few = few_labels(study, given.labels, extents) or few_tied_labels(study, sheet)
    keep_few_labels(few)
    lines = [
        _panoramas_read(sheet),
        *(given.lines(simulated=bool(simulated)) if given else []),
        *unread_notes(study),
    ]
    if few and cards:
        lines.append(
            "The labels are too few to test networks: they name their sites and nothing else. "
            f"{few.reason}"
        )
    elif few or not (given or simulated or cards):
        lines.append(unclassified_note(study, few))
    return lines


def _exact(sizes, study, sheet):
    """Return the sizes of all but stitched panoramas, which are known once these are stitched."""
    folder = Path(study.data_folder)
    return {
        name: size
        for name, size in sizes.items()
        if not is_stitched(folder / sheet["path"][name], sheet["overlap_percent"][name])
    }


def _panoramas_read(sheet):
    simulated = int((sheet["path"] == SIMULATED).sum())
    which = {0: "", len(sheet): ", simulated"}.get(simulated, f", {simulated} of them simulated")
    return f"Panoramas: {len(sheet)}{which}."


def _check_clock(study, sheet):
    folder = Path(study.data_folder)
    given = [folder / path for path in sheet["path"] if path != SIMULATED]
    given += [folder / path for path in sheet["paired_scan"] if path not in ("", SIMULATED)]
    given += [file for source in study.labels for file in files_in(folder / source.path)]
    # Products lie in folders of their own; what lies beside these folders is none.
    ahead = files_ahead([*given, *Path("results").glob("*/**/*")])
    if ahead:
        when = datetime.fromtimestamp(ahead[0].stat().st_mtime).astimezone()
        raise InputError(
            f"{ahead[0]} carries a time in the future, {when:%Y-%m-%d %H:%M:%S %z}: one of two "
            "clocks is wrong, and everything made from this file would be made again in every run. "
            "Set the clock, or give the file the present time:\n"
            f"touch {shlex.join(map(str, ahead))}"
        )


def files_ahead(paths: Iterable[Path]) -> list[Path]:
    """Return the files among paths whose time is later than now."""
    latest = time.time() + _AHEAD_S
    return [path for path in paths if path.is_file() and path.stat().st_mtime > latest]


def _check_weights(study):
    for stage in STAGES:
        shipped = network_named(study.stage(stage).network).weights_file
        if shipped is not None and study.models == "train" and not zipfile.is_zipfile(shipped):
            raise InputError(
                f"{stage}.network: {shipped}, which comes with the workflow, is missing or "
                "damaged. Restore it from a fresh copy of the workflow, or choose another network."
            )
        weights = study.stage(stage).weights
        if weights not in ("none", IMAGENET) and not Path(weights).is_file():
            raise InputError(
                f"{stage}.weights: there is no file {weights}. Correct the path, which counts from "
                "the folder of the study, or set it to none."
            )


def _check_reference(study, sheet):
    name = study.detection.threshold.reference
    if name and name not in sheet.index:
        raise InputError(
            f"detection.threshold.reference: there is no panorama '{name}' in {study.panoramas}. "
            f"{nearest_panorama(name, sheet)}"
        )


def _check_effects(study, sheet):
    """Refuse keys that have no effect with the panoramas and labels that there are."""
    simulated = (sheet["path"] == SIMULATED).any()
    idle = []
    if not simulated:
        idle.append(("simulation", Simulation(), "simulated panoramas"))
    if not _divides_labels(study, sheet):
        usual = load_study({"training_preset": study.training_preset}).split
        idle.append(("split", usual, "labels or simulated panoramas"))
    with told_together() as problems:
        if not study.labels and not study.training.soft_labels:
            problems.add(
                "training.soft_labels: 'soft_labels: False' has no effect in a study without label "
                "files: the truth of a simulation is one annotator. Remove it."
            )
        for section, usual, missing in idle:
            for key, value in getattr(study, section).model_dump().items():
                if value != getattr(usual, key):
                    problems.add(
                        f"{section}.{key}: '{key}: {value}' has no effect beside 'panoramas: "
                        f"{study.panoramas}', because the study has no {missing}. Remove it."
                    )


def _divides_labels(study, sheet):
    """Say whether there are labels, given or simulated, or will have to be."""
    return bool(study.labels or (sheet["path"] == SIMULATED).any() or not model_folder(study))


def _check_panorama(name, row, study, bars):
    if row["path"] == SIMULATED:
        size = (study.simulation.width_px, study.simulation.height_px)
        return size, Tiles(), row["pixel_size_nm"]
    folder = Path(study.data_folder)
    path = folder / row["path"]
    if not path.is_file():
        raise InputError(
            f"{study.panoramas}, row {row_of(name, Path(study.panoramas))}, column 'path': there "
            f"is no file {path}. Correct the path or 'data_folder' in the configuration."
        )
    tile_folder = folder / row["tile_folder"] if row["tile_folder"] else None
    if not math.isnan(row["overlap_percent"]) and is_stitched(path):
        raise InputError(
            f"{study.panoramas}, row {row_of(name, Path(study.panoramas))}, column "
            f"'overlap_percent': {path} says itself where each frame lies. Leave the cell empty, "
            "or name a grid file with the columns file, column and row."
        )
    if is_stitched(path, row["overlap_percent"]):
        opened = open_frames(
            path,
            panorama=name,
            tile_folder=tile_folder,
            overlap_percent=row["overlap_percent"],
            pixel_size_nm=row["pixel_size_nm"],
            pixel_size_overrides_header=row["pixel_size_overrides_header"],
            bars=bars,
            **image_options(row),
        )
        # The exact size is known after the stitching, which checks labels once more.
        height, width = opened.largest_shape
        return (width, height), nominal_tiles(opened), opened.pixel_size_nm
    source = open_source(
        path,
        tile_folder=tile_folder,
        bars=bars,
        **image_options(row),
    )
    size = agree_on_pixel_size(
        panorama=name,
        source=path,
        sheet_nm=row["pixel_size_nm"],
        stated=source.pixel_size,
        overrides=row["pixel_size_overrides_header"],
    )
    height, width = source.shape
    return (width, height), grid_tiles(source), size.nm


def _check_windows(name, size, pixel_size_nm, study):
    windows = {f"{stage}.window": study.stage(stage).window for stage in STAGES}
    if any(study.stage(stage).descriptors for stage in STAGES):
        windows["the window of descriptors"] = DESCRIPTOR_WINDOW
    for key, window in windows.items():
        window_px = length_px(window, pixel_size_nm=pixel_size_nm)
        if window_px > min(size):
            raise InputError(
                f"{key}: {window} are {window_px:.0f} px, but panorama '{name}' has only "
                f"{size[0]} x {size[1]} px. Give a smaller window or check the pixel size."
            )


def _check_lengths(name, size, pixel_size_nm, study):
    """Refuse lengths that cannot be meant, in pixels of a panorama."""

    def pixels(text):
        return length_px(text, pixel_size_nm=pixel_size_nm)

    detection = study.detection
    with told_together() as problems:
        longest = {"detection.eps": detection.eps}
        if detection.merge != "none":
            longest["detection.merge_distance"] = detection.merge_distance
        for key, text in longest.items():
            if pixels(text) > min(size) / 2:
                problems.add(
                    f"{key}: {text} are {pixels(text):.0f} px, more than half of panorama "
                    f"'{name}' ({size[0]} x {size[1]} px). Give less, or check the pixel size."
                )
        block = detection.threshold.block
        if detection.threshold.rule == "relative" and pixels(block) < _LEAST_BLOCK_PX:
            problems.add(
                f"detection.threshold.block: {block} are {pixels(block):.3g} px of panorama "
                f"'{name}', too few to measure grey levels in. Give several grains, at least "
                f"{_LEAST_BLOCK_PX} px."
            )
        if detection.threshold.rule == "relative" and pixels(block) > _MOST_EDGES * max(size):
            problems.add(
                f"detection.threshold.block: {block} are {pixels(block):.0f} px, more than "
                f"{_MOST_EDGES} times the longer edge of panorama '{name}' ({size[0]} x {size[1]} "
                "px). Give less, or check the pixel size."
            )
        least = detection.minimum_area
        if area_px(least, pixel_size_nm=pixel_size_nm) > size[0] * size[1] / 2:
            problems.add(
                f"detection.minimum_area: {least} are more than half of panorama '{name}' "
                f"({size[0]} x {size[1]} px), so that no site is left. Give less, or check the "
                "pixel size."
            )


def _check_blocks(name, pixel_size_nm, study):
    if study.split.group_by != "block":
        return
    with told_together() as problems:
        for stage in STAGES:
            window = study.stage(stage).window
            block_px, window_px = (
                length_px(text, pixel_size_nm=pixel_size_nm) for text in (study.split.block, window)
            )
            # The last digit of a conversion must not decide.
            if round(block_px, 6) < round(window_px, 6):
                problems.add(
                    f"split.block: {study.split.block} are smaller than {stage}.window: {window} "
                    f"in panorama '{name}', so that networks are tested on what they have seen. "
                    "Give a larger block or a smaller window."
                )


def _check_reach(name, pixel_size_nm, study):
    eps = study.detection.eps
    eps_px = length_px(eps, pixel_size_nm=pixel_size_nm)
    # A length given in micrometres may miss a whole number of pixels by its last digit.
    if round(eps_px, 6) < 1 < study.detection.min_samples:
        raise InputError(
            f"detection.eps: {eps} are {eps_px:.2g} px of panorama '{name}', so that no pixel has "
            "a neighbour. Give the size of a pixel or more."
        )
