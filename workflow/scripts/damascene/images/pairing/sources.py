"""Whether a file can be another scan of a panorama, from headers alone."""

from pathlib import Path

from damascene import InputError
from damascene.images.pixel_sizes import agree
from damascene.images.sources import Source, open_source
from damascene.images.stitching.frames import is_stitched

#: What a second scan must have in common with a panorama, as a part of the panorama.
LEAST_COVERED = 0.5


def open_second_scan(
    source: Path,
    *,
    size_px: tuple[int, int],
    pixel_size_nm: float,
    overrides: bool,
    **options,
) -> Source:
    """Check that a file can be another scan of a panorama.

    Parameters
    ----------
    source : pathlib.Path
        Image or grid file.
    size_px : (int, int)
        Columns and rows of the panorama.
    pixel_size_nm : float
        That of the panorama.
    overrides : bool
        Whether the sheet states the pixel size, whatever headers say.
    **options
        How each image is read, as for `open_source`.

    Raises
    ------
    InputError
        As `open_source`, and if the pixel sizes differ or the size does not suffice.
    """
    if not source.is_file():
        raise InputError(
            f"there is no file {source}. Correct the path or 'data_folder' in the configuration."
        )
    if is_stitched(source):
        raise InputError(
            f"{source} lists overlapping frames, and a second scan is not stitched. Stitch it in a "
            "study of its own and name that panorama."
        )
    opened = open_source(source, **options)
    stated = opened.pixel_size
    if stated.contradiction and not overrides:
        raise InputError(f"{source}: {stated.contradiction}.")
    if stated.nm is not None and not overrides and not agree(stated.nm, pixel_size_nm):
        raise InputError(
            f"{source} has pixels of {stated.nm:g} nm, the panorama of {pixel_size_nm:g} nm. "
            "Resampling one to the other would change its noise: name a scan of the same "
            "magnification. If the header is wrong, enter yes in the column "
            "pixel_size_overrides_header."
        )
    (width, height), (rows, columns) = size_px, opened.shape
    most = min(width, columns) * min(height, rows) / (width * height)
    if most < LEAST_COVERED:
        raise InputError(
            f"{source} has {columns} x {rows} px, the panorama {width} x {height} px, so that it "
            f"shows {most:.0%} of it at most. Name a scan that shows at least "
            f"{LEAST_COVERED:.0%}, or leave the cell empty."
        )
    return opened
