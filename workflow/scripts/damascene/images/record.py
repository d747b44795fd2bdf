"""The record of a panorama, made in one place however the panorama came about."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from damascene.contracts.panorama_record import (
    AcquisitionRecord,
    GreyScale,
    PanoramaRecord,
    StitchingQuality,
    ValidArea,
)
from damascene.contracts.source_file import SourceFile
from damascene.images.microscopes.common import NOTHING_STATED, Acquisition
from damascene.versions import IMAGE_PACKAGES, package_versions


def describe_panorama(
    *,
    panorama: str,
    shape: tuple[int, int],
    pixel_size_nm: float,
    pixel_size_source: str,
    fractions: Mapping[str, float],
    source: str,
    sources: Sequence[SourceFile] = (),
    acquisition: Acquisition = NOTHING_STATED,
    stitching: StitchingQuality | None = None,
    grey_scale: GreyScale | None = None,
    valid_area_mm2: float | None = None,
    notes: Sequence[str] = (),
) -> PanoramaRecord:
    """Return the record of a panorama that has just been written.

    Parameters
    ----------
    panorama : str
        Name in the sample sheet.
    shape : tuple of int
        Rows and columns.
    pixel_size_nm : float
    pixel_size_source : {"sheet", "header"}
    fractions : mapping of str to float
        From `write_valid_area`.
    source : str
        Path that was read, or "simulated".
    sources : sequence of SourceFile, optional
        From `source_states`.
    acquisition : Acquisition, optional
    stitching : StitchingQuality, optional
    grey_scale : GreyScale, optional
    valid_area_mm2 : float, optional
        Follows from the fractions if not given; given where its last digit must stay another.
    notes : sequence of str, optional
    """
    height, width = shape
    if valid_area_mm2 is None:
        valid_area_mm2 = fractions["valid"] * width * height * (pixel_size_nm * 1e-6) ** 2
    return PanoramaRecord(
        panorama=panorama,
        width_px=width,
        height_px=height,
        pixel_size_nm=pixel_size_nm,
        pixel_size_source=pixel_size_source,
        acquisition=AcquisitionRecord(**asdict(acquisition)),
        valid_area_mm2=valid_area_mm2,
        valid_fraction=fractions["valid"],
        valid_area=ValidArea(**fractions),
        source=source,
        sources=tuple(sources),
        stitching=stitching,
        grey_scale=grey_scale,
        notes=tuple(notes),
        versions=package_versions(*IMAGE_PACKAGES),
    )
