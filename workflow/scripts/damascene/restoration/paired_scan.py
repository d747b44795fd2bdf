"""Another scan of the place of a panorama, laid over it and never counted."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.contracts.source_file import SourceFile
from damascene.files import written_whole
from damascene.images.importing import import_panorama
from damascene.images.pairing.overlay import grey_line, laid_over, overlay_strips, whole_shifts
from damascene.images.pairing.shifts import measure_shifts
from damascene.images.pairing.sources import LEAST_COVERED
from damascene.images.store import TiledImage, Window, open_pair, write_all_valid, write_tiled
from damascene.images.tiles import map_tiles
from damascene.images.valid_area import VALID
from damascene.problems import at
from damascene.restoration.noise import fine_noise, noise_of
from damascene.simulation.second_scan import simulate_second_scan
from damascene.versions import IMAGE_PACKAGES, package_versions

# Two scans differ by the noise of both. With less than this part of that of one, it is the same.
_LEAST_DIFFERENCE = 0.5
# Less noise than this is mostly the rounding of grey values.
_LEAST_NOISE_GREY = 1.0
_COMPARED_BLOCKS, _COMPARED_PX = 16, 256
_LEAST_USABLE = 0.5
# The mask waits on disk in pieces of this height.
_MASK_ROWS = 1024


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """Paths: image and mask of the panorama; image and mask to write."""

    image: str | Path
    valid: str | Path
    paired_image: str | Path
    paired_valid: str | Path


def import_paired_scan(
    files: PairFiles,
    *,
    panorama: str,
    source: str | Path,
    cell: str,
    threads: int = 1,
    **options,
) -> PairedScanRecord:
    """Read another scan of a panorama and lay it over this; see `register_paired_scan`.

    Parameters
    ----------
    files : PairFiles
    panorama : str
        Name in the sample sheet.
    source : path of an image or a grid file
    cell : str
        Where the sheet names it, for messages.
    threads : int, optional
    **options
        How each image is read, as for `read_header`.

    Raises
    ------
    InputError
        Naming the cell, as `import_panorama` and `register_paired_scan`.
    """
    folder = Path(files.paired_image).parent
    with at(cell), tempfile.TemporaryDirectory(dir=folder, prefix=".scan_") as scratch:
        scan = [Path(scratch, name) for name in ("scan.ome.tif", "scan.valid.ome.tif")]
        with TiledImage(files.image) as image:
            pixel_size_nm = image.pixel_size_nm
        # Whether its own header agrees was checked before the study began.
        record = import_panorama(
            panorama=panorama,
            source=source,
            tile_folder=None,
            pixel_size_nm=pixel_size_nm,
            pixel_size_overrides_header=True,
            image_path=scan[0],
            valid_path=scan[1],
            threads=threads,
            **options,
        )
        return register_paired_scan(
            files,
            *scan,
            panorama=panorama,
            source=str(source),
            sources=record.sources,
            threads=threads,
        )


def simulate_paired_scan(
    files: PairFiles, *, panorama: str, cell: str, threads: int = 1, **specimen
) -> PairedScanRecord:
    """Scan the steel of a simulated panorama once more, slowly.

    Parameters
    ----------
    files, panorama, cell, threads
        See `import_paired_scan`.
    **specimen
        See `simulation.second_scan.simulate_second_scan`.
    """
    folder = Path(files.paired_image).parent
    with at(cell), tempfile.TemporaryDirectory(dir=folder, prefix=".scan_") as scratch:
        scan = [Path(scratch, name) for name in ("scan.ome.tif", "scan.valid.ome.tif")]
        simulate_second_scan(path=scan[0], panorama=panorama, threads=threads, **specimen)
        shape, size = specimen["shape"], specimen["pixel_size_nm"]
        write_all_valid(scan[1], shape=shape, pixel_size_nm=size, name=f"{panorama} valid")
        return register_paired_scan(
            files, *scan, panorama=panorama, source="simulated", sources=(), threads=threads
        )


def register_paired_scan(
    files: PairFiles,
    scan_path: str | Path,
    scan_valid_path: str | Path,
    *,
    panorama: str,
    source: str,
    sources: tuple[SourceFile, ...],
    threads: int = 1,
) -> PairedScanRecord:
    """Lay a scan over a panorama and write it with the same geometry.

    Shifts are measured in blocks of 512 pixels and the scan is resampled where they say, unless
    they are whole pixels. A line brings its grey values to those of the panorama if they differ.
    What the scan does not cover, and blocks that could not be registered, are 0 in its mask.
    The result depends on the two images alone.

    Raises
    ------
    InputError
        If the scan does not show the place of the panorama, or less than half of it, or has its
        very noise: then it is the same scan.
    """
    with (
        open_pair(files.image, files.valid) as (image, valid),
        open_pair(scan_path, scan_valid_path) as (scan, scan_valid),
    ):
        images = (image, valid, scan, scan_valid)
        measured = measure_shifts(*images, threads=threads)
        shifts = whole_shifts(measured)
        if shifts is not measured:
            _require_own_noise(*images, shifts)
        line = grey_line(*images, shifts)
        covered = _write(files, images, shifts=shifts, line=line, name=panorama, threads=threads)
        noise = fine_noise(scan) * (line.slope if line.changes else 1.0)
        height, width = scan.shape
        middle = [
            float(np.median(values[measured.registered])) for values in (measured.dy, measured.dx)
        ]
        drift = np.hypot(measured.dy - middle[0], measured.dx - middle[1])
        return PairedScanRecord(
            panorama=panorama,
            source=source,
            sources=tuple(sources),
            width_px=width,
            height_px=height,
            shift_x_px=middle[1],
            shift_y_px=middle[0],
            largest_drift_px=float(drift[measured.registered].max()),
            residual_px=measured.residual_px,
            correlation=measured.correlation,
            blocks=int(measured.asked.sum()),
            registered_blocks=int(measured.registered.sum()),
            resampled=shifts is measured,
            covered_fraction=covered,
            grey_slope=line.slope,
            grey_offset=line.offset,
            grey_matched=line.changes,
            noise_grey_levels=noise,
            panorama_noise_grey_levels=fine_noise(image),
            versions=package_versions(*IMAGE_PACKAGES),
        )


def _require_own_noise(image, valid, scan, scan_valid, shifts):
    """Refuse a scan that lies over the panorama by whole pixels and has the same noise."""
    places = np.argwhere(shifts.registered)
    chosen = np.linspace(0, len(places) - 1, min(len(places), _COMPARED_BLOCKS)).astype(int)
    noises, differences = [], []
    for row, column in places[chosen]:
        middle = (shifts.rows[row], shifts.columns[column])
        top, left = (max(int(each) - _COMPARED_PX // 2, 0) for each in middle)
        window = Window(
            top=top,
            left=left,
            bottom=min(top + _COMPARED_PX, image.shape[0]),
            right=min(left + _COMPARED_PX, image.shape[1]),
        )
        theirs, usable = laid_over(scan, scan_valid, shifts, window)
        ours = image.read(window).astype(np.float32)
        usable &= (valid.read(window) == VALID) & (ours > 0) & (ours < 255)
        if usable.mean() >= _LEAST_USABLE and np.ptp(theirs[usable]):
            slope, offset = np.polyfit(theirs[usable], ours[usable], 1)
            noises.append(noise_of(ours, usable))
            differences.append(noise_of(ours - np.float32(slope * theirs + offset), usable))
    if not noises:
        return
    # NaN stands for no noise at all.
    noise, difference = (float(np.median(np.nan_to_num(each))) for each in (noises, differences))
    if noise > _LEAST_NOISE_GREY and difference < _LEAST_DIFFERENCE * noise:
        raise InputError(
            f"the scan is the panorama itself or a copy of it: they differ by {difference:.2g} "
            f"grey levels, and the noise of the panorama alone has {noise:.2g}. Name another scan "
            "of the same place, or leave the cell empty."
        )


def _write(files, images, *, shifts, line, name, threads):
    """Write image and mask; return which part of the valid pixels they cover."""
    image, valid = images[:2]
    about = {"shape": image.shape, "pixel_size_nm": image.pixel_size_nm}
    covered_px = 0
    # The mask waits on disk until the image is written, so that memory does not grow.
    with (
        written_whole(files.paired_image, files.paired_valid) as (image_part, valid_part),
        tempfile.TemporaryFile(dir=Path(files.paired_valid).parent) as waiting,
    ):

        def greys():
            nonlocal covered_px
            for grey, mask in overlay_strips(*images, shifts=shifts, line=line, threads=threads):
                mask.tofile(waiting)
                covered_px += np.count_nonzero(mask)
                yield grey

        def masks():
            waiting.seek(0)
            for _ in range(0, image.shape[0], _MASK_ROWS):
                part = np.fromfile(waiting, np.uint8, _MASK_ROWS * image.shape[1])
                yield part.reshape(-1, image.shape[1])

        write_tiled(image_part, greys(), name=f"{name} second scan", threads=threads, **about)
        valid_px = _count_valid(valid)
        if covered_px < LEAST_COVERED * valid_px:
            raise InputError(
                f"the scan shows {covered_px / max(valid_px, 1):.0%} of the panorama, too little: "
                f"give one that shares at least {LEAST_COVERED:.0%} with it, or leave the cell "
                "empty. Blocks whose structure does not agree count as not shown."
            )
        write_tiled(valid_part, masks(), name=f"{name} second scan valid", pyramid=False, **about)
    return covered_px / valid_px


def _count_valid(valid):
    return sum(
        int(np.count_nonzero(strip == 255))
        for strip in map_tiles(lambda pixels: pixels, valid, halo_px=0)
    )
