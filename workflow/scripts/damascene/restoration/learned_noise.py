"""Which noise a denoising network learned from, and what to say of other noise."""

from collections.abc import Sequence

import numpy as np

from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord

#: From this correlation with a neighbour on, noise passes for structure. White noise on steel
#: measures up to 0.18.
CORRELATED_FROM = 0.25
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
    along = [_along(record) for record in records]
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
    found = []
    level = noise_level(record)
    if card.noise is not None and card.noise.sigma_grey_levels is not None:
        least, most = card.noise.sigma_grey_levels
        if not least <= level <= most:
            found.append(
                f"its noise of {level:.3g} grey levels is outside of the {least:.3g} to "
                f"{most:.3g} that the denoising network learned from"
            )
    along, across = _along(record), _across(record)
    if card.method == "simulated" and along is not None:
        for value, limit, where in (
            (along, SIMULATED_MOST_CORRELATION, "along"),
            (across, CORRELATED_FROM, "across"),
        ):
            if value > limit:
                found.append(
                    f"its noise is correlated by {value:.2f} with that of the next pixel {where} "
                    f"the scan lines, and the denoising network learned from noise of at most "
                    f"{limit:.2f}"
                )
    return found


def _along(record):
    return None if record.correlation_along is None else record.correlation_along[0]


def _across(record):
    return None if record.correlation_across is None else record.correlation_across[0]
