"""Olympus SIS, whose programs serve microscopes of several makers: tags that tifffile parses."""

from damascene.images.microscopes.common import (
    NOTHING_STATED,
    Acquisition,
    VendorHeader,
    plain_text,
    positive,
    scaled,
    statement,
)


def parse_olympus(entries: object, *, width_px: int, height_px: int) -> VendorHeader:
    """Read what tifffile made of the tag; sizes are in metres."""
    if not isinstance(entries, dict):
        return VendorHeader(acquisition=NOTHING_STATED)
    sizes = [scaled(positive(entries.get(name)), 1e9) for name in ("pixelsizex", "pixelsizey")]
    taken = entries.get("datetime")
    return VendorHeader(
        acquisition=Acquisition(
            microscope="Olympus SIS",
            detector=plain_text(entries.get("cameraname")),
            acquired=taken.isoformat() if taken else None,
        ),
        size=statement("the Olympus SIS header", sizes),
    )
