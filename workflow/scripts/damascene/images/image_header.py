"""What the header of an image file says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from damascene import InputError
from damascene.images.orientation import SWAPPED, UPRIGHT
from damascene.images.pixel_sizes import PixelSize, Statement, stated_size
from damascene.images.vendor import NOTHING_STATED, Acquisition


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the header of an image file says.

    `width_px` and `height_px` are those of the picture as it is to be shown, without the
    `data_bar_px` rows below it, which a microscope wrote its data into; `data_bar_source` is who
    says how many, "header", "pixels" or "sheet", and None if nobody tells of any. `samples` counts
    values a pixel: 1 grey, 2 grey with alpha, 3 colour, 4 colour with alpha. `bits` is 8 or 16.
    `statements` are all of the pixel size. `page` counts from 1; it is None
    where the file holds a single image. `orientation` is that of TIFF and Exif, `alpha` how an
    alpha channel has changed the colours ("associated": they are multiplied by it), `absent` how
    many of the parts of a TIFF were never written. `in_parts`: rows can be decoded without
    decoding the whole image. `bit_depth`: bits that the greys of a 16-bit image fill, as
    `bit_depth_source` says, "header" or "sheet"; None if neither does. `white_is_zero`: the header
    says so; `inverted_by_sheet`: black and white are exchanged.
    """

    path: Path
    kind: str
    width_px: int
    height_px: int
    samples: int
    bits: int
    statements: tuple[Statement, ...] = ()
    page: int | None = None
    acquisition: Acquisition = NOTHING_STATED
    data_bar_px: int = 0
    data_bar_source: str | None = None
    orientation: int = UPRIGHT
    alpha: Literal["associated", "unassociated"] | None = None
    absent: int = 0
    in_parts: bool = False
    bit_depth: int | None = None
    bit_depth_source: Literal["header", "sheet"] | None = None
    white_is_zero: bool = False
    inverted_by_sheet: bool = False

    @property
    def inverted(self) -> bool:
        """Whether decoded greys are stored ones turned round, within the bits of a pixel."""
        return self.white_is_zero != self.inverted_by_sheet

    @property
    def pixel_size(self) -> PixelSize:
        """What follows for the pixel size."""
        stored_px = self.height_px if self.orientation in SWAPPED else self.width_px
        return stated_size(self.statements, width_px=stored_px)

    @property
    def pixel_size_nm(self) -> float | None:
        """Edge of a pixel in nanometres, None where the header names no usable one."""
        return self.pixel_size.nm

    @property
    def has_holes(self) -> bool:
        """Whether some pixels may lie outside the picture."""
        return self.alpha is not None or self.absent > 0


def truncated(path: str | Path, detail: str) -> InputError:
    """Return the error for a file that ends before its image does."""
    return InputError(f"{path} is truncated ({detail}). Copy the file again from its source.")


def turned_with_bar(path: str | Path) -> InputError:
    """Return the error for a picture that was turned together with the data bar below it."""
    return InputError(
        f"{path} is turned by its header (orientation), and has a data bar, which no longer lies "
        "below the picture. Save the image upright, or without the bar and with data_bar_px 0 in "
        "the sample sheet."
    )
