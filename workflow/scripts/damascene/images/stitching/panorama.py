"""Stitch overlapping frames into the tiled file that all stages read."""

import math
from pathlib import Path

import numpy as np
import pandas as pd

from damascene import InputError
from damascene.contracts.panorama_record import PanoramaRecord, StitchingQuality
from damascene.files import file_states, require_unchanged, written_whole
from damascene.images.grey_scale import grey_conversion
from damascene.images.record import describe_panorama
from damascene.images.source_files import source_states
from damascene.images.sources import data_bar_notes, picture_notes, shared_acquisition
from damascene.images.stitching.blend import STRIP_ROWS, blended_strips, covered_strips, place
from damascene.images.stitching.brightness_matching import solve_gains
from damascene.images.stitching.frames import FrameSet, with_headers
from damascene.images.stitching.register import Registration, pair_table, register_frames
from damascene.images.valid_area import write_image_and_mask


def stitch_frames(
    opened: FrameSet,
    *,
    panorama: str,
    image_path: str | Path,
    valid_path: str | Path,
    search_px: int | None = None,
    strip_rows: int = STRIP_ROWS,
    threads: int = 1,
) -> tuple[PanoramaRecord, pd.DataFrame, pd.DataFrame]:
    """Write overlapping frames as one panorama, and the mask of its valid pixels.

    Frames are registered (`register_frames`), brought to one level of brightness (`solve_gains`),
    placed at whole pixels (`place`) and blended linearly (`blended_strips`). Memory holds the
    frames that touch one strip. 16-bit values become 8-bit as in `import_panorama`, after the
    blending.

    Parameters
    ----------
    opened : FrameSet
        As checked by `open_frames`.
    panorama : str
        Name in the sample sheet.
    image_path, valid_path : paths of the files to write
    search_px : int, optional
        By how much the nominal distance of neighbours may be wrong.
    strip_rows : int, optional
        Rows blended at once; no effect on the result.
    threads : int, optional
        Frames worked on at the same time; no effect on the result.

    Returns
    -------
    record : PanoramaRecord
    pairs : pandas.DataFrame
        As `pair_table`.
    frames : pandas.DataFrame
        As `frame_table`.

    Raises
    ------
    InputError
        If pixels cannot be decoded, no overlap could be registered, or an image changes meanwhile.
        Then no file is left.
    """
    states = file_states(path for _, path in opened.files)
    conversion = grey_conversion(opened.headers, panorama=panorama, threads=threads)
    lookup = conversion.lookup
    opened = with_headers(opened, conversion.headers)
    registration = register_frames(opened, search_px=search_px, threads=threads)
    pairs = pair_table(opened, registration)
    _require_links(opened, pairs)
    placed = place(registration.positions.corners_px)
    used = pairs["accepted"].to_numpy()
    gains = solve_gains(
        registration.positions.corners_px / [opened.width_px, opened.height_px],
        registration.pairs[used],
        pairs["first_level"].to_numpy()[used],
        pairs["second_level"].to_numpy()[used],
    )
    frames = frame_table(opened, registration, placed=placed, gains=gains)
    acquisition, differences = shared_acquisition(opened.headers)
    size = {"width_px": opened.width_px, "height_px": opened.height_px}
    width, height = (int(length) for length in placed.max(axis=0) + list(size.values()))
    strips = blended_strips(opened.headers, placed, gains, strip_rows=strip_rows, threads=threads)
    with written_whole(image_path, valid_path) as (image_part, valid_part):
        fractions = write_image_and_mask(
            image_part,
            valid_part,
            strips if lookup is None else (lookup[strip] for strip in strips),
            covered=covered_strips(placed, **size),
            shape=(height, width),
            pixel_size_nm=opened.pixel_size_nm,
            name=panorama,
            threads=threads,
        )
        sources = source_states(opened.files, threads=threads)
        require_unchanged(states)
    quality = _quality(pairs, frames, groups=len(set(registration.positions.group)))
    record = describe_panorama(
        panorama=panorama,
        shape=(height, width),
        pixel_size_nm=opened.pixel_size_nm,
        pixel_size_source=opened.size.origin,
        fractions=fractions,
        source=str(opened.path),
        sources=sources,
        acquisition=acquisition,
        stitching=quality,
        grey_scale=conversion.scale,
        notes=[
            *_notes(quality, frames),
            *opened.size.notes,
            *picture_notes(opened.headers),
            *data_bar_notes(opened.headers),
            *conversion.notes,
            *differences,
        ],
    )
    return record, pairs, frames


def frame_table(
    opened: FrameSet, registration: Registration, *, placed: np.ndarray, gains: np.ndarray
) -> pd.DataFrame:
    """Return where each frame went, one row per frame.

    Returns
    -------
    pandas.DataFrame
        `file`; `nominal_x_px`, `nominal_y_px`: as listed; `x_px`, `y_px`: as registered;
        `placed_x_px`, `placed_y_px`: upper left corner in the panorama; `width_px`, `height_px`;
        `accepted_pairs`; `placed_by`: "overlap", or "nominal" where no overlap connects the frame
        to the largest group of connected frames; `gain`: factor on its grey values.
    """
    positions = registration.positions
    links = registration.pairs[positions.used]
    largest = np.bincount(positions.group).argmax()
    return pd.DataFrame(
        {
            "file": [frame.name for frame in opened.frames],
            "nominal_x_px": opened.nominal_px[:, 0],
            "nominal_y_px": opened.nominal_px[:, 1],
            "x_px": positions.corners_px[:, 0],
            "y_px": positions.corners_px[:, 1],
            "placed_x_px": placed[:, 0],
            "placed_y_px": placed[:, 1],
            "width_px": opened.width_px,
            "height_px": opened.height_px,
            "accepted_pairs": np.bincount(links.ravel(), minlength=len(opened.frames)),
            "placed_by": np.where(positions.group == largest, "overlap", "nominal"),
            "gain": gains,
        }
    )


def _require_links(opened, pairs):
    if len(opened.frames) == 1 or pairs["accepted"].any():
        return
    faults = pairs["fault"].value_counts()
    raise InputError(
        f"{opened.path}: none of the {len(pairs)} overlaps of neighbouring frames could be "
        f"registered (most: {faults.index[0]}). Check that the positions and their unit are right "
        "within a tenth of a frame, that x runs to the right and y downwards, and that each file "
        "stands in the row of its position."
    )


def _quality(pairs, frames, *, groups):
    residuals = pairs.loc[pairs["accepted"], "residual_px"].to_numpy()
    # A tree of links connects frames without any disagreement.
    loops = len(residuals) - (len(frames) - groups)
    return StitchingQuality(
        frames=len(frames),
        pairs=len(pairs),
        accepted_pairs=len(residuals),
        loops=loops,
        rms_residual_px=float(math.sqrt(np.mean(residuals**2))) if loops else None,
        largest_residual_px=float(residuals.max()) if loops else None,
        nominal_frames=int((frames["placed_by"] == "nominal").sum()),
        lowest_gain=float(frames["gain"].min()),
        highest_gain=float(frames["gain"].max()),
    )


def _notes(quality, frames):
    agreement = "no loops, so that nothing can disagree"
    if quality.loops:
        agreement = (
            f"residual {quality.rms_residual_px:.2f} px rms, "
            f"{quality.largest_residual_px:.2f} px at most"
        )
    notes = [
        f"stitched from {quality.frames} frames at whole pixels; {quality.accepted_pairs} of "
        f"{quality.pairs} overlaps registered, {agreement}"
    ]
    if quality.nominal_frames:
        names = frames.loc[frames["placed_by"] == "nominal", "file"]
        shown = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
        notes.append(
            f"no overlap connects {len(names)} frames to the rest, they lie as the nominal "
            f"positions say: {shown}"
        )
    if (frames["gain"] != 1).any():
        notes.append(
            "grey values of frames multiplied by "
            f"{quality.lowest_gain:.3f} to {quality.highest_gain:.3f} to bring overlaps to "
            "one level; black and saturated pixels left as they are"
        )
    return notes
