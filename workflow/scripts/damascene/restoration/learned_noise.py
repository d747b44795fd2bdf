"""Which noise a denoising network learned from, and what to say of other noise."""

from collections.abc import Sequence

import numpy as np

from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import CORRELATED_FROM, NoiseRecord

#: What the simulated scans have that the shipped network learned from: standard deviation of the
#: noise in grey levels, and its correlation with the next pixel of the line.
SIMULATED_NOISE_GREY = (2.0, 40.0)
SIMULATED_MOST_CORRELATION = 0.3


def noise_level(record: NoiseRecord) -> float:
    """Return the standard deviation of the noise: in flat areas, or its finest part without any."""
    return record.fine_grey if record.sigma_grey is None else record.sigma_grey


def usual_noise(records: Sequence[NoiseRecord]) -> float:
    """Return the median standard deviation of the noise of panoramas in grey levels."""
    return float(np.median([noise_level(record) for record in records]))


def blind_layout(records: Sequence[NoiseRecord]) -> str:
    """Return what a network must not see so that it cannot repeat the noise of panoramas.

    Returns
    -------
    {"pixel", "line"}
        The pixel itself; or its whole row, where pixels along the scan line share noise in most
        panoramas.
    """
    along = [_first(record.correlation_along) for record in records]
    known = [value for value in along if value is not None]
    return "line" if known and np.median(known) >= CORRELATED_FROM else "pixel"


def doubts(card: ImageModelCard, record: NoiseRecord) -> list[str]:
    """Say in which way the noise of a panorama is other than a network learned from.

    Parameters
    ----------
    card : ImageModelCard
    record : NoiseRecord
        Of the panorama before denoising.

    Returns
    -------
    list of str
        Sentences with the figures.
    """
    if card.method == "simulated":
        return simulated_doubts(record)
    if card.noise is None or card.noise.sigma_grey_levels is None:
        return []
    return _outside(noise_level(record), card.noise.sigma_grey_levels)


def simulated_doubts(record: NoiseRecord) -> list[str]:
    """Say in which way noise is other than that of the simulated scans; see `doubts`."""
    found = _outside(noise_level(record), SIMULATED_NOISE_GREY)
    for correlation, limit, where in (
        (_first(record.correlation_along), SIMULATED_MOST_CORRELATION, "along"),
        (_first(record.correlation_across), CORRELATED_FROM, "across"),
    ):
        if correlation is not None and correlation > limit:
            found.append(
                f"its noise is correlated by {correlation:.2f} with that of the next pixel {where} "
                f"the scan lines, and the denoising network learned from at most {limit:.2f}"
            )
    return found


def _outside(level, learned):
    least, most = learned
    if least <= level <= most:
        return []
    return [
        f"its noise of {level:.3g} grey levels is outside of the {least:.3g} to {most:.3g} that "
        "the denoising network learned from"
    ]


def _first(correlations):
    return None if correlations is None else correlations[0]
