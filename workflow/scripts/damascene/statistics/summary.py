"""All statistics of a study, and the page of text that says them with their caveats."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from damascene.contracts.model_card import ModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.quality.noise import differing_noise
from damascene.statistics.caveats import caveat_lines
from damascene.statistics.control import control_lines, control_table
from damascene.statistics.density import density_table
from damascene.statistics.headline import headline_text
from damascene.statistics.sizes import size_distribution
from damascene.statistics.verdict import Facts, verdict_table


def summarise_sites(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    blocks: pd.DataFrame,
    strains_percent: Mapping[str, float],
    confidence: float,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return densities, sizes and the control of a study.

    Parameters
    ----------
    sites, records, blocks, strains_percent, confidence
        See `density.density_table` and `control.control_table`.
    withheld : mapping of panorama to str, optional
        See `density.density_table`.
    """
    names = [one.panorama for one in records]
    densities = density_table(
        sites,
        records,
        strains_percent=[strains_percent[name] for name in names],
        confidence=confidence,
        withheld=withheld,
    )
    control = control_table(
        sites, blocks, records, strains_percent=strains_percent, confidence=confidence
    )
    return densities, size_distribution(sites, panoramas=names), control


def judge_numbers(
    *,
    densities: pd.DataFrame,
    control: pd.DataFrame,
    scores: pd.DataFrame | None,
    confusion: pd.DataFrame | None,
    cards: Iterable[ModelCard],
    quality: Sequence[QualityRecord],
    noise: Iterable[NoiseRecord],
    noise_conditions: Mapping[str, str],
    phases: Sequence[PhaseRecord] = (),
    phase_notes: Iterable[str] = (),
    others: Iterable[str] = (),
    doubts: Sequence[str] = (),
    untested: str = "",
) -> tuple[pd.DataFrame, str]:
    """Return which numbers may be used, and the headline of a study.

    Parameters
    ----------
    densities, control : pandas.DataFrame
        `DENSITIES` and `CONTROL`.
    scores, confusion, quality, phases, doubts, untested
        See `verdict.Facts`.
    cards : iterable of ModelCard
        Of networks from elsewhere, which may come with a note.
    noise : iterable of NoiseRecord
    noise_conditions : mapping of panorama to str
        See `quality.noise.differing_noise`.
    phase_notes : iterable of str, optional
        Texts of `phases.summary.phase_notes`, which stand as they are.
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
            change=control.set_index("class").loc["inclusion", "change"],
            quality=quality,
            phases=phases,
            notes_of_networks=of_networks,
            untested=untested,
            doubts=doubts,
        )
    )
    notes = [
        *control_lines(control),
        *of_networks,
        *caveat_lines(quality, others=remarks),
        *(line for text in phase_notes for line in text.splitlines()),
    ]
    return verdict, headline_text(densities, verdict=verdict, notes=notes)
