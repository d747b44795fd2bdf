"""What the workshop is to show, checked before any work."""

from collections.abc import Iterable
from pathlib import Path

from damascene import InputError
from damascene.config.workshop import Workshop
from damascene.images.formats import parse_header
from damascene.networks.pattern import layers_for

#: Edge of the smallest cut in which neighbourhoods, tiles and parts still mean something.
SMALLEST_PX = 64
#: Edge to which small pictures are enlarged before networks see them.
PICTURES_PX = 32


def check_workshop(settings: Workshop, *, panoramas: Iterable[str]) -> None:
    """Check that the workshop's panorama, picture and network can be had.

    Raises
    ------
    InputError
        If the sample sheet has no such panorama, the picture or the folder of small pictures is
        missing or cannot be read, or the network's pattern is not understood.
    """
    panoramas = list(panoramas)
    if settings.panorama and settings.panorama not in panoramas:
        shown = ", ".join(panoramas[:10]) + (" ..." if len(panoramas) > 10 else "")
        raise InputError(
            f"workshop.panorama: the sample sheet has no panorama '{settings.panorama}'; it has "
            f"{shown}."
        )
    if settings.image:
        _check_picture(settings)
    if settings.digits_folder and not Path(settings.digits_folder).is_dir():
        raise InputError(
            f"workshop.digits_folder: there is no folder {settings.digits_folder}. Correct the "
            "path, or leave it empty to download the pictures."
        )
    layers_for(settings.network, input_px=PICTURES_PX)


def _check_picture(settings):
    try:
        header = parse_header(settings.image)
    except InputError as error:
        # What it says of the sample sheet is for panoramas.
        raise InputError(
            f"workshop.image: {error} For the workshop, save one picture of 8 bits in grey or RGB "
            "as PNG or JPEG and name that."
        ) from error
    shape = header.height_px, header.width_px
    top, left = settings.place or (0, 0)
    if min(shape[0] - top, shape[1] - left) < SMALLEST_PX:
        at = f" below and right of workshop.place {settings.place}" if settings.place else ""
        raise InputError(
            f"workshop.image: {settings.image} has {shape[0]} rows and {shape[1]} columns; the "
            f"workshop needs at least {SMALLEST_PX} of each{at}."
        )
