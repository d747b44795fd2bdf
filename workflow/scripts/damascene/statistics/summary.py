"""All statistics of a study, and the page of text that says them with their caveats."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from damascene.contracts.model_card import ModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.quality.noise import differing_noise
from damascene.statistics.caveats import caveat_lines, shift_lines
from damascene.statistics.conditions import condition_table
from damascene.statistics.density import density_table
from damascene.statistics.evolution import control_factor, control_lines, evolution_table
from damascene.statistics.headline import headline_text
from damascene.statistics.panorama_blocks import blocks_by_panorama, dispersion_table
from damascene.statistics.rate_ratios import ratio_table
from damascene.statistics.verdict import Facts, verdict_table


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Tables of a study, each after the contract of its name."""

    densities: pd.DataFrame
    dispersion: pd.DataFrame
    evolution: pd.DataFrame
    conditions: pd.DataFrame
    rate_ratios: pd.DataFrame


def summarise_sites(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    quality: pd.DataFrame,
    strains_percent: Mapping[str, float],
    conditions: Mapping[str, str],
    confidence: float,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> Statistics:
    """Return densities and their scatter, the change with strain, and conditions compared.

    Parameters
    ----------
    sites, records, strains_percent, confidence
        See `density.density_table`.
    quality : pandas.DataFrame
        `QUALITY` of all panoramas, whose blocks are cells here.
    conditions : mapping of panorama to str
        Column `condition` of the sample sheet.
    withheld : mapping of panorama to str, optional
        See `density.density_table`.
    """
    found = blocks_by_panorama(sites, quality, records)
    densities = density_table(
        sites,
        records,
        strains_percent=[strains_percent[one.panorama] for one in records],
        confidence=confidence,
        withheld=withheld,
        found=found,
    )
    compared = {"conditions": conditions, "confidence": confidence}
    return Statistics(
        densities=densities,
        dispersion=dispersion_table(found, withheld=withheld),
        evolution=evolution_table(densities, confidence=confidence),
        conditions=condition_table(densities, **compared),
        rate_ratios=ratio_table(densities, **compared),
    )


def judge_numbers(
    *,
    densities: pd.DataFrame,
    evolution: pd.DataFrame,
    cards: Iterable[ModelCard],
    quality: Sequence[QualityRecord],
    noise: Iterable[NoiseRecord],
    noise_conditions: Mapping[str, str],
    scores: pd.DataFrame | None = None,
    confusion: pd.DataFrame | None = None,
    corrected: pd.DataFrame | None = None,
    detection: pd.DataFrame | None = None,
    labels: pd.DataFrame | None = None,
    shift: pd.DataFrame | None = None,
    phases: Sequence[PhaseRecord] = (),
    phase_notes: Iterable[str] = (),
    label_counts: Iterable[str] = (),
    others: Iterable[str] = (),
    doubts: Sequence[str] = (),
    untested: str = "",
) -> tuple[pd.DataFrame, str]:
    """Return which numbers may be used, and the headline of a study.

    Parameters
    ----------
    densities, evolution : pandas.DataFrame
        `DENSITIES` and `EVOLUTION`.
    scores, confusion, corrected, detection, labels, shift, quality, phases, doubts, untested
        See `verdict.Facts`.
    cards : iterable of ModelCard
        Of networks from elsewhere, which may come with a note.
    noise : iterable of NoiseRecord
    noise_conditions : mapping of panorama to str
        See `quality.noise.differing_noise`.
    phase_notes : iterable of str, optional
        Texts of `phases.summary.phase_notes`, which stand as they are.
    label_counts : iterable of str, optional
        How many labels there are, as `labels/counts.txt` says it.
    others : iterable of str, optional
        Texts with further remarks, a line each.

    Returns
    -------
    verdict : pandas.DataFrame
        `VERDICT`.
    headline : str
    """
    remarks = [line for text in others for line in text.splitlines()]
    remarks += differing_noise(noise, noise_conditions)
    of_networks = sorted({card.note for card in cards} - {""})
    verdict = verdict_table(
        Facts(
            densities=densities,
            scores=scores,
            confusion=confusion,
            corrected=corrected,
            detection=detection,
            labels=labels,
            shift=shift,
            change=evolution.set_index("class").loc["inclusion", "change"],
            factor=control_factor(evolution),
            quality=quality,
            phases=phases,
            notes_of_networks=of_networks,
            untested=untested,
            doubts=doubts,
        )
    )
    notes = [
        *(text.strip() for text in label_counts),
        *control_lines(evolution),
        *of_networks,
        *caveat_lines(quality, others=remarks),
        *(line for text in phase_notes for line in text.splitlines()),
    ]
    alerts = [] if shift is None else shift_lines(shift)
    return verdict, headline_text(
        densities, verdict=verdict, notes=notes, alerts=alerts, corrected=corrected
    )
