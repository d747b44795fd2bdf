"""Records for tests, with the fields that matter given and all others filled in."""

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.images.record import describe_panorama


def panorama_record(
    name: str = "p",
    *,
    shape: tuple[int, int] = (2000, 2000),
    pixel_size_nm: float = 50.0,
    **changes,
) -> PanoramaRecord:
    """Return the record of a panorama that is valid everywhere."""
    options = {
        "pixel_size_source": "sheet",
        "fractions": {"valid": 1.0, "no_image": 0.0, "blank": 0.0, "charging": 0.0},
        "source": "image.tif",
    }
    return describe_panorama(
        panorama=name, shape=shape, pixel_size_nm=pixel_size_nm, **(options | changes)
    )
