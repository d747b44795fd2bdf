"""Tables of densities for tests, from counts."""

import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_LABELS
from damascene.contracts.densities import DENSITIES
from damascene.contracts.table import check_table
from damascene.statistics.intervals import poisson_interval


def densities_with(counts, strains, *, area_mm2=0.04, dispersion=1.0, blocks=24):
    """Return `DENSITIES` of panoramas p0, p1, ... from {class: counts by panorama}."""
    rows = []
    for place, strain in enumerate(strains):
        own = {name: counts[name][place] if name in counts else 0 for name in SITE_LABELS}
        own[ALL] = sum(own.values())
        own[DAMAGE] = sum(own[name] for name in DAMAGE_MECHANISMS)
        for name, count in own.items():
            low, high = poisson_interval(count)
            rows.append(
                {
                    "panorama": f"p{place}",
                    "strain_percent": float(strain),
                    "class": name,
                    "not_estimated": "",
                    "count": count,
                    "labelled": 0,
                    "count_cut_off": 0,
                    "area_mm2": area_mm2,
                    "density_per_mm2": count / area_mm2,
                    "density_low_per_mm2": float(low) / area_mm2,
                    "density_high_per_mm2": float(high) / area_mm2,
                    "block_note": "",
                    "block_um": 20.0,
                    "block_long_um": 20.0,
                    "blocks": blocks,
                    "dispersion": dispersion if count else None,
                    "confidence": 0.95,
                }
            )
    table = pd.DataFrame(rows, columns=list(DENSITIES.columns))
    return check_table(table, DENSITIES, source="test")
