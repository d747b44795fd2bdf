"""What the noise of a panorama means for what is found in it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from damascene.config.denoising import CALIBRATED, Denoise
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.quality_record import Caveat
from damascene.restoration.learned_noise import (
    CORRELATION_TOLD_FROM,
    UNMEASURED,
    doubts,
    noise_level,
)

# Noise of one kind of scan differs by less than this factor, and this many grey levels.
_ALIKE_WITHIN, _LEAST_CHANGE = 1.5, 2.0
_WORDS = {"gaussian": "Gaussian", "gamma": "Gamma-like", "undecided": "distribution undecided"}


def noise_caveats(
    noise: NoiseRecord, *, denoise: Denoise, card: ImageModelCard | None = None
) -> list[Caveat]:
    """Return what the noise of a panorama speaks against, given how the panorama is denoised.

    Parameters
    ----------
    noise : NoiseRecord
        Before denoising.
    denoise : config.denoising.Denoise
    card : ImageModelCard, optional
        Of the network that denoises.
    """
    if denoise.method == "none":
        return []
    if noise.fine_grey is None:
        text = f"{UNMEASURED}. Look at it, and at its valid area"
        return [Caveat(kind="unmeasured_noise", text=text)]
    if card is not None:
        return _of_network(noise, card)
    return _of_calibration(noise) if denoise.strength == CALIBRATED else []


def _of_network(noise, card):
    found = doubts(card, noise)
    if not found:
        return []
    text = (
        f"{'; '.join(found)}. Sites may be invented or lost: compare them with those of another "
        "method (snakemake compare_denoising)"
    )
    return [Caveat(kind="other_noise", text=text)]


def _of_calibration(noise):
    rest = (
        "the strength of denoising was not calibrated and fits the measured noise alone. Compare "
        "the sites with those without denoising, or set denoise: strength to a number"
    )
    if noise.is_correlated:
        return [
            Caveat(
                kind="correlated_noise",
                text=f"its noise is correlated: {_correlations(noise)}, so that {rest}",
            )
        ]
    if noise.is_correlated is None:
        text = f"no area is flat enough to measure whether its noise is correlated, so that {rest}"
        return [Caveat(kind="unknown_noise", text=text)]
    return []


def noise_sentence(noise: NoiseRecord) -> str:
    """Describe the noise of a panorama in a line for the page of its quality."""
    if noise.sigma_grey is None and noise.fine_grey is None:
        return "Noise could not be measured: too few valid pixels, or neighbours do not differ"
    lines = (
        f"offsets of rows {noise.line_grey:.2g} grey levels"
        if noise.line_grey
        else "no offsets of rows"
    )
    if noise.sigma_grey is None:
        return (
            f"Noise: finest part {noise.fine_grey:.2g} grey levels; {lines}; no area is flat "
            "enough to tell the rest from fine structure"
        )
    parts = [f"Noise in flat areas: {noise.sigma_grey:.3g} grey levels", _WORDS[noise.distribution]]
    if noise.correlation_along is not None:
        parts.append(_correlations(noise))
    return "; ".join([*parts, lines])


def _correlations(noise):
    along, across = noise.correlation_along[0], noise.correlation_across[0]
    return (
        f"correlation with the next pixel {along:.2f} along and {across:.2f} across the scan lines"
    )


def differing_noise(records: Iterable[NoiseRecord], conditions: Mapping[str, str]) -> list[str]:
    """Name panoramas whose noise differs clearly from that of others scanned alike.

    Parameters
    ----------
    records : iterable of NoiseRecord
    conditions : mapping of panorama to str
        Word of the column `noise_condition`; empty where there is none.

    Returns
    -------
    list of str
        A remark for each panorama that differs from the median of its condition by more than a
        factor of 1.5 and two grey levels, or whose noise is correlated while that of most others
        is not, or the other way round. Of weak noise (`CORRELATION_TOLD_FROM`) correlation is
        not compared: it may be texture.
    """
    groups = defaultdict(list)
    for record in records:
        if record.fine_grey is not None:
            groups[conditions.get(record.panorama, "")].append(record)
    return [
        remark
        for condition, group in groups.items()
        if len(group) > 1
        for record in group
        if (remark := _difference(record, group, condition))
    ]


def _difference(record, group, condition):
    others = [one for one in group if one is not record]
    middle = float(np.median([one.fine_grey for one in group]))
    own = record.fine_grey
    factor = max(own, middle) / max(min(own, middle), 1e-6)
    found = []
    if factor > _ALIKE_WITHIN and abs(own - middle) > _LEAST_CHANGE:
        found.append(f"{own:.2g} grey levels against {middle:.2g}")
    known = [one.is_correlated for one in others if _tells_correlation(one)]
    if _tells_correlation(record) and known:
        most = sum(known) * 2 > len(known)
        if record.is_correlated != most:
            found.append(
                "it is not correlated, that of most others is"
                if most
                else "it is correlated, that of most others is not"
            )
    if not found:
        return ""
    where = (
        f"the other panoramas of the noise condition '{condition}'"
        if condition
        else "the other panoramas"
    )
    return (
        f"{record.panorama}: its noise differs from that of {where}: {'; '.join(found)}. If it was "
        "scanned otherwise, its sites do not compare with theirs without denoising; give it a "
        "word of its own in the column noise_condition of the sample sheet."
    )


def _tells_correlation(record):
    return record.is_correlated is not None and noise_level(record) >= CORRELATION_TOLD_FROM
