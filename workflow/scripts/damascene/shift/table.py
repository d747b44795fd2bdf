"""The domain shift of all panoramas: their table, and the lines that are said before any result."""

from collections.abc import Iterable

import pandas as pd

from damascene.contracts.domain_shift import DOMAIN_SHIFT, VERDICT
from damascene.contracts.shift_record import ShiftRecord
from damascene.contracts.table import check_table


def shift_table(records: Iterable[ShiftRecord]) -> pd.DataFrame:
    """Return `DOMAIN_SHIFT`: the measures of each panorama, then its verdict."""
    rows = []
    for record in records:
        for one in record.measures:
            rows.append(
                {
                    "panorama": record.panorama,
                    "measure": one.measure,
                    "value": one.value,
                    "training_low": one.low,
                    "training_high": one.high,
                    "excess": one.excess,
                    "flag": one.flag,
                    "meaning": one.meaning,
                }
            )
        worst = [one.excess for one in record.measures if one.excess is not None]
        rows.append(
            {
                "panorama": record.panorama,
                "measure": VERDICT,
                "excess": max(worst, default=None),
                "flag": record.flag,
                "meaning": record.reason,
            }
        )
    columns = list(DOMAIN_SHIFT.columns)
    return check_table(pd.DataFrame(rows, columns=columns), DOMAIN_SHIFT, source="domain shift")
