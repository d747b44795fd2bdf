"""All statistics of a study, and the page of text that says them with their caveats."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from damascene.contracts.model_card import ModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.quality.noise import differing_noise
from damascene.statistics.caveats import caveat_lines
from damascene.statistics.control import control_lines, control_table
from damascene.statistics.density import density_table, headline_text
from damascene.statistics.sizes import size_distribution


def summarise_sites(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    blocks: pd.DataFrame,
    strains_percent: Mapping[str, float],
    confidence: float,
    cards: Iterable[ModelCard],
    quality: Iterable[QualityRecord],
    noise: Iterable[NoiseRecord],
    noise_conditions: Mapping[str, str],
    others: Iterable[str],
    phases: Iterable[str] = (),
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, str]:
    """Return densities, sizes, the control and the headline of a study.

    Parameters
    ----------
    sites, records, blocks, strains_percent, confidence
        See `density.density_table` and `control.control_table`.
    cards : iterable of ModelCard
        Of networks from elsewhere, which may come with a note.
    quality : iterable of QualityRecord
        See `caveats.caveat_lines`.
    noise : iterable of NoiseRecord
    noise_conditions : mapping of panorama to str
        See `quality.noise.differing_noise`.
    others : iterable of str
        Texts with further remarks, a line each.
    phases : iterable of str, optional
        Texts of `phases.summary.phase_notes`, which stand as they are.
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
    remarks = [line for text in others for line in text.splitlines()]
    remarks += differing_noise(noise, noise_conditions)
    notes = [
        *control_lines(control),
        *sorted({card.note for card in cards} - {""}),
        *caveat_lines(quality, others=remarks),
        *(line for text in phases for line in text.splitlines()),
    ]
    headline = headline_text(densities, notes=notes)
    return densities, size_distribution(sites, panoramas=names), control, headline
