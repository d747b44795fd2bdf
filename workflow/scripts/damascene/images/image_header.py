"""What the header of an image file says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from damascene import InputError
from damascene.images.microscopes.common import NOTHING_STATED, Acquisition, VendorHeader
from damascene.images.orientation import ROWS_STAY, SWAPPED, UPRIGHT
from damascene.images.pixel_sizes import PixelSize, Statement, stated_size

#: Share of the height of an image that a data bar takes up at most.
LARGEST_DATA_BAR = 0.25


@dataclass(frozen=True, kw_only=True)
class ImageHeader:
    """What the header of an image file says.

    `width_px` and `height_px` are those of the picture as it is to be shown, without the
    `data_bar_px` rows below it, which a microscope wrote its data into; `data_bar_source` is who
    says how many, "header", "pixels" or "sheet", and None if nobody tells of any. `samples` counts
    values a pixel: 1 grey, 2 grey with alpha, 3 colour, 4 colour with alpha. `bits` is 8 or 16.
    `statements` are all of the pixel size. `page` counts from 1; it is None where the file holds a
    single image. `side_file` lies beside the image and belongs to its header. `orientation` is
    that of TIFF and Exif, `alpha` how an alpha channel has changed the colours ("associated": they
    are multiplied by it), `absent` how many of the parts of a TIFF were never written. `in_parts`:
    rows can be decoded without decoding the whole image. `bit_depth`: bits that the greys of a
    16-bit image fill, as `bit_depth_source` says, "header" or "sheet"; None if neither does.
    `white_is_zero`: the header says so; `inverted_by_sheet`: black and white are exchanged.
    """

    path: Path
    kind: str
    width_px: int
    height_px: int
    samples: int
    bits: int
    statements: tuple[Statement, ...] = ()
    page: int | None = None
    side_file: Path | None = None
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
        """Whether decoded greys are stored ones turned round."""
        return self.white_is_zero != self.inverted_by_sheet

    @property
    def full_scale(self) -> int:
        """Grey that is white, as far as the bit depth is known."""
        return 2 ** (self.bit_depth or self.bits) - 1

    @property
    def pixel_size(self) -> PixelSize:
        """What follows for the pixel size."""
        return stated_size(self.statements, width_px=self.stored_px[0])

    @property
    def stored_px(self) -> tuple[int, int]:
        """Columns and rows as the file stores them, a data bar included."""
        shown = self.width_px, self.height_px + self.data_bar_px
        return shown[::-1] if self.orientation in SWAPPED else shown

    @property
    def pixel_size_nm(self) -> float | None:
        """Edge of a pixel in nanometres, None where the header names no usable one."""
        return self.pixel_size.nm

    @property
    def has_holes(self) -> bool:
        """Whether some pixels may lie outside the picture."""
        return self.alpha is not None or self.absent > 0


def described_by(header: ImageHeader, vendors: Iterable[VendorHeader]) -> ImageHeader:
    """Add to a header how the image was taken, and the data bar, by the first that says so.

    Raises
    ------
    InputError
        If the picture is turned, and so is the bar.
    """
    for vendor in vendors:
        if header.acquisition == NOTHING_STATED:
            header = replace(header, acquisition=vendor.acquisition)
        bar = vendor.data_bar_px
        # A statement that most of the image is a data bar is wrong.
        if header.data_bar_source or bar is None or bar > LARGEST_DATA_BAR * header.stored_px[1]:
            continue
        if bar and header.orientation not in ROWS_STAY:
            raise turned_with_bar(header.path)
        header = replace(
            header,
            height_px=header.height_px - bar,
            data_bar_px=bar,
            data_bar_source="header",
        )
    return header


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
