"""Which noise a denoising network learned from, and what to say of other noise."""

from collections.abc import Sequence

import numpy as np

from damascene import InputError
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import CORRELATED_FROM, NoiseRecord

#: What the simulated scans have that the shipped network learned from: standard deviation of the
#: noise in grey levels, and its correlation with the next pixel of the line.
SIMULATED_NOISE_GREY = (2.0, 40.0)
SIMULATED_MOST_CORRELATION = 0.3
#: Noise is judged by its correlation from so many grey levels on. In weaker noise fine texture of
#: the steel passes for it: real tiles with white noise of 10 grey levels measure up to 13.7.
CORRELATION_TOLD_FROM = 14.0
#: Where there is no number for the noise.
UNMEASURED = "its noise could not be measured, so that nothing was denoised"


def noise_level(record: NoiseRecord) -> float | None:
    """Return the standard deviation of the noise: in flat areas, or its finest part without any.

    None where it could not be measured.
    """
    return record.fine_grey if record.sigma_grey is None else record.sigma_grey


def known_levels(records: Sequence[NoiseRecord]) -> list[float]:
    """Return the standard deviations of the noise of panoramas, as far as they were measured.

    Raises
    ------
    InputError
        If none was.
    """
    levels = [level for level in map(noise_level, records) if level is not None]
    if not levels:
        named = ", ".join(record.panorama for record in records)
        raise InputError(
            f"A network cannot learn to denoise from {named}: no noise could be measured there. "
            "Set 'denoise: method' to none, or give panoramas with more valid area."
        )
    return levels


def usual_noise(records: Sequence[NoiseRecord]) -> float:
    """Return the median standard deviation of the noise of panoramas in grey levels."""
    return float(np.median(known_levels(records)))


def blind_layout(records: Sequence[NoiseRecord]) -> str:
    """Return what a network must not see so that it cannot repeat the noise of panoramas.

    Returns
    -------
    {"pixel", "line"}
        The pixel itself; or its whole row, where pixels along the scan line share noise in most
        panoramas, be it by a slow detector or by offsets of rows.
    """
    along = [record.correlations[0] for record in records if record.correlations is not None]
    return "line" if along and np.median(along) >= CORRELATED_FROM else "pixel"


def doubts(card: ImageModelCard, record: NoiseRecord) -> list[str]:
    """Say in which way the noise of a panorama is other than a network learned from.

    Correlation along the scan lines is no doubt where the network does not see the row of the pixel
    that it answers, nor in noise so weak that it cannot be told from texture.

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
    level = noise_level(record)
    if level is None or record.fine_grey is None:
        return [UNMEASURED]
    found = []
    if card.noise is not None and card.noise.sigma_grey_levels is not None:
        least, most = card.noise.sigma_grey_levels
        if not least <= level <= most:
            found.append(
                f"its noise of {level:.3g} grey levels is outside of the {least:.3g} to {most:.3g} "
                "that the denoising network learned from"
            )
    if level < CORRELATION_TOLD_FROM:
        return found
    if card.method == "simulated":
        most = (SIMULATED_MOST_CORRELATION, CORRELATED_FROM)
        return found + _correlated(record, most, "learned from at most {most:.2f}")
    if card.method == "self_supervised":
        return found + _not_hidden(card, record)
    return found


def _not_hidden(card, record):
    """Say which noise neighbours share that a network sees and takes for structure."""
    line = card.network_options["layout"] == "line"
    hidden = "the row of the pixel that it answers" if line else "the pixel that it answers alone"
    rest = f"is not shown {hidden} and takes for structure what other pixels share with it"
    if record.correlations is None:
        return [
            "no area is flat enough to measure whether its noise is correlated, and the denoising "
            f"network {rest}"
        ]
    return _correlated(record, (np.inf if line else CORRELATED_FROM, CORRELATED_FROM), rest)


def _correlated(record, most, what):
    """Say where noise is correlated by as much as these, along and across the scan lines."""
    where = zip(record.correlations or (), most, ("along", "across"), strict=False)
    return [
        f"its noise is correlated by {correlation:.2f} with that of a pixel beside it {direction} "
        f"the scan lines, and the denoising network {what.format(most=limit)}"
        for correlation, limit, direction in where
        if correlation >= limit
    ]
