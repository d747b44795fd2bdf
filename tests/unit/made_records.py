"""Records for tests, with the fields that matter given and all others filled in."""

from damascene.classes import DAMAGE_CLASSES
from damascene.contracts.model_card import ModelCard
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


def model_card(classes: tuple[str, ...] = DAMAGE_CLASSES, **changes) -> ModelCard:
    """Return the card of a small network that was trained elsewhere."""
    options = {
        "network": "eeracn",
        "classes": tuple(classes),
        "input_px": 32,
        "scales": 1,
        "window": "4 um",
        "centre": None,
        "descriptors": False,
        "grey_scaling": "full_range",
        "average_flips": False,
        "parameters": 1000,
        "pixel_size_nm": (40, 50),
        "versions": {},
    }
    return ModelCard(**(options | changes))
