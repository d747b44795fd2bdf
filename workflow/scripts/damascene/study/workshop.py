"""What the workshop is to show, checked before any work."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from damascene import InputError
from damascene.config.workshop import Workshop
from damascene.images.formats import parse_header
from damascene.networks.pattern import weight_count

#: Edge of the smallest cut in which neighbourhoods, tiles and parts still mean something.
SMALLEST_PX = 64
#: Edge to which small pictures are enlarged before networks see them.
PICTURES_PX = 32
#: Classes of small pictures, in every set.
PICTURE_CLASSES = 10
#: AlexNet has 60 million; a larger network takes gigabytes to train, and hours.
MOST_WEIGHTS = 60_000_000


def check_workshop(
    settings: Workshop, *, panoramas: Iterable[str], sizes_px: Mapping[str, tuple[int, int]]
) -> None:
    """Check that the workshop's panorama, picture and network can be had.

    Parameters
    ----------
    settings : Workshop
    panoramas : iterable of str
        All in the order of the sample sheet.
    sizes_px : mapping of str to (int, int)
        Width and height of the panoramas whose size is known before any work.

    Raises
    ------
    InputError
        If the sample sheet has no such panorama, the cut does not lie in it, the picture or the
        folder of small pictures is missing or cannot be read, or the network's pattern is not
        understood or asks for too many weights.
    """
    panoramas = list(panoramas)
    if settings.panorama and settings.panorama not in panoramas:
        shown = ", ".join(panoramas[:10]) + (" ..." if len(panoramas) > 10 else "")
        raise InputError(
            f"workshop.panorama: the sample sheet has no panorama '{settings.panorama}'; it has "
            f"{shown}."
        )
    shown = settings.panorama or next(iter(panoramas), "")
    if settings.image:
        _check_picture(settings)
    elif settings.place and shown in sizes_px:
        width, height = sizes_px[shown]
        check_place(settings.place, (height, width), image=f"panorama '{shown}'")
    if settings.digits_folder and not Path(settings.digits_folder).is_dir():
        raise InputError(
            f"workshop.digits_folder: there is no folder {settings.digits_folder}. Correct the "
            "path, or leave it empty to download the pictures."
        )
    weights = weight_count(settings.network, input_px=PICTURES_PX, class_count=PICTURE_CLASSES)
    if weights > MOST_WEIGHTS:
        raise InputError(
            f"workshop.network: '{settings.network}' has {weights / 1e6:,.0f} million weights for "
            f"pictures of {PICTURES_PX} pixels; the workshop trains at most "
            f"{MOST_WEIGHTS / 1e6:.0f} million. Write smaller numbers, or a POOL before the first "
            "FC."
        )


def check_place(place: Sequence[int], shape: tuple[int, int], *, image: str) -> None:
    """Check that a cut at a place of an image is large enough.

    Parameters
    ----------
    place : sequence of two int
        Row and column of the upper left corner of the cut.
    shape : tuple of int
        Rows and columns of the image.
    image : str
        What the image is, for the message.

    Raises
    ------
    InputError
        If less than 64 rows or columns, or than those of a smaller image, are left there.
    """
    left = [length - start for length, start in zip(shape, place, strict=True)]
    if min(place) < 0 or min(left) < min(SMALLEST_PX, *shape):
        raise InputError(
            f"workshop.place: {image} has {shape[0]} rows and {shape[1]} columns, and the workshop "
            f"needs at least {SMALLEST_PX} of each below and right of row {place[0]}, column "
            f"{place[1]}. Give the row and the column of the upper left corner of the cut, or null "
            "for the middle."
        )


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
    if min(shape) < SMALLEST_PX:
        raise InputError(
            f"workshop.image: {settings.image} has {shape[0]} rows and {shape[1]} columns; the "
            f"workshop needs at least {SMALLEST_PX} of each."
        )
    if settings.place:
        check_place(settings.place, shape, image=settings.image)
