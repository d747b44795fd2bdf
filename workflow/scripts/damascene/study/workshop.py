"""What the workshop is to show, checked before any work."""

from collections.abc import Iterable
from pathlib import Path

from damascene import InputError
from damascene.config.workshop import Workshop
from damascene.images.formats import parse_header
from damascene.networks.pattern import parse_pattern


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
        parse_header(settings.image)
    if settings.digits_folder and not Path(settings.digits_folder).is_dir():
        raise InputError(
            f"workshop.digits_folder: there is no folder {settings.digits_folder}. Correct the "
            "path, or leave it empty to download the pictures."
        )
    parse_pattern(settings.network)
