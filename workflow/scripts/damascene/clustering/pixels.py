"""Dark pixels on their way through the detector, strip by strip from the top."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from damascene import InputError

# About 3 GB on their way through the detector. No site comes near: a square of 7,000 x 7,000.
_MOST_WAITING = 50_000_000
#: Grey of a pixel that is not dark but was filled because dark ones surround it.
FILLED = -1


@dataclass(frozen=True, kw_only=True)
class DarkPixels:
    """The dark pixels of a panorama in row-major order, as arrays of one length.

    `rows` and `columns` are int64, `greys` uint8; `beside_invalid` says whether one of the eight
    neighbours is invalid. `around` (float32, shape (pixels, 3)), where asked for: sum and number of
    the greys around that are valid and not dark, and the local step from ferrite to martensite.
    """

    rows: np.ndarray
    columns: np.ndarray
    greys: np.ndarray
    beside_invalid: np.ndarray
    around: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """Pixels to be clustered, in row-major order, as arrays of one length.

    `rows` and `columns` are int64, `greys` int16 (`FILLED` where the pixel is not dark itself);
    `beside_invalid` says whether one of the eight neighbours is invalid; `around` as in
    `DarkPixels`, 0 where filled, None where no rule asks for it.
    """

    rows: np.ndarray
    columns: np.ndarray
    greys: np.ndarray
    beside_invalid: np.ndarray
    around: np.ndarray | None = None

    def __len__(self) -> int:  # noqa: D105
        return len(self.rows)

    def __getitem__(self, chosen) -> "Pixels":  # noqa: D105
        return Pixels(**{name: values[chosen] for name, values in self.arrays().items()})

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays there are, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: values for name, values in named.items() if values is not None}

    @classmethod
    def of(cls, dark: DarkPixels) -> "Pixels":
        """Take over dark pixels."""
        return cls(
            rows=dark.rows,
            columns=dark.columns,
            greys=dark.greys.astype(np.int16),
            beside_invalid=dark.beside_invalid,
            around=dark.around,
        )

    @classmethod
    def none(cls) -> "Pixels":
        """Return no pixels."""
        number = np.empty(0, np.int64)
        return cls(
            rows=number,
            columns=number,
            greys=number.astype(np.int16),
            beside_invalid=number.astype(bool),
        )

    def followed_by(self, others: "Pixels") -> "Pixels":
        """Return these pixels and, behind them, others."""
        if not len(self):
            return others
        if not len(others):
            return self
        return Pixels(
            **{
                name: np.concatenate([values, getattr(others, name)])
                for name, values in self.arrays().items()
            }
        )

    def check_waiting(self) -> None:
        """Refuse to hold back more pixels than any site has.

        Raises
        ------
        InputError
            If a connected area has more dark pixels than memory should hold.
        """
        if len(self) > _MOST_WAITING:
            raise InputError(
                f"Rows {self.rows[0]} to {self.rows[-1]}: more than {_MOST_WAITING:,} dark pixels "
                "are connected. This is a dark area and not a site. Lower the threshold or the "
                "clustering distance, or mask the area."
            )


#: Strips of full width: the pixels, and the row below the last one that is known. Each strip begins
#: where the one before ended; the last one ends with the image.
Strips = Iterator[tuple[Pixels, int]]
