"""noise/{panorama}.json: the noise of a panorama as it was recorded, before any denoising."""

from typing import ClassVar, Literal

from pydantic import Field

from damascene.contracts.record import Part, Record

#: From this correlation with a neighbour on, noise passes for structure. White noise on steel
#: measures up to 0.18.
CORRELATED_FROM = 0.25


class GreyNoise(Part):
    """Noise of flat areas of one grey."""

    grey: float = Field(description="Mean grey value of the areas.")
    sigma_grey: float = Field(
        description="Standard deviation of their noise in grey levels, from its finest part."
    )
    patches: int = Field(description="Areas of 16 x 16 pixels that were measured.")


class NoiseRecord(Record):
    """Noise in flat areas of a panorama; None where no area is flat enough to tell it from steel.

    Fine texture of the steel that fills flat areas counts as noise, and as correlated noise.
    """

    kind: ClassVar[str] = "the noise of a panorama"

    panorama: str = Field(description="Name in the sample sheet.")
    patches: int = Field(description="Flat areas of 16 x 16 pixels that were measured.")
    sigma_grey: float | None = Field(
        description="Standard deviation of the noise in grey levels, with that of the lines."
    )
    fine_grey: float | None = Field(
        description="Standard deviation of what neighbouring pixels do not share, in grey levels, "
        "from the finest diagonal wavelet coefficients; it sets the strength of denoising. None "
        "where no window has enough usable pixels, or neighbouring pixels do not differ."
    )
    correlation_along: tuple[float, float, float] | None = Field(
        description="Correlation of the noise with that 1, 2 and 3 pixels away along the scan "
        "line (x), without the noise of lines; None where the noise is mere rounding."
    )
    correlation_across: tuple[float, float, float] | None = Field(
        description="The same across the scan lines (y)."
    )
    line_grey: float = Field(
        description="Standard deviation of the offsets of rows, in grey levels; 0 where there "
        "are none to tell."
    )
    by_grey: tuple[GreyNoise, ...] = Field(description="Noise against grey, from dark to bright.")
    variance_slope: float | None = Field(
        description="Growth of the variance per grey level, as counted electrons give it; None "
        "without flat areas of several greys."
    )
    variance_intercept: float | None = Field(description="Variance at grey 0 by the same line.")
    skewness: float | None = Field(description="Skewness of the noise.")
    distribution: Literal["gaussian", "gamma", "undecided"] = Field(
        description="`gaussian` without skewness, `gamma` with much; between them, and with few "
        "areas or noise of mere rounding, `undecided`."
    )

    @property
    def correlations(self) -> tuple[float, float] | None:
        """Largest correlation with a neighbour in the row and in the column, with that of lines."""
        if self.correlation_along is None or self.correlation_across is None or not self.sigma_grey:
            return None
        shared = self.line_grey**2 / self.sigma_grey**2
        along = shared + (1 - shared) * max(self.correlation_along)
        return along, (1 - shared) * max(self.correlation_across)

    @property
    def largest_correlation(self) -> float | None:
        """The larger of `correlations`."""
        return None if self.correlations is None else max(self.correlations)

    @property
    def is_correlated(self) -> bool | None:
        """Whether the noise of neighbouring pixels is correlated; None where nobody can tell."""
        correlation = self.largest_correlation
        return None if correlation is None else correlation >= CORRELATED_FROM
