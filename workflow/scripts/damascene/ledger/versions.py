"""Five published parameter sets side by side on one's own panoramas."""

from collections.abc import Mapping

import pandas as pd

from damascene.config.detection import Detection
from damascene.contracts.ledger import VERSIONS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.detection.darkness import reference_histogram
from damascene.images.store import TiledImage
from damascene.sensitivity.sweep import STUDY, count_presets


def compare_versions(
    image: TiledImage,
    valid: TiledImage,
    record: PanoramaRecord,
    *,
    settings: Detection,
    presets: Mapping[str, Detection],
    reference: tuple,
    threads: int = 1,
) -> pd.DataFrame:
    """Count the candidates of a panorama with the settings of the study and with published ones.

    Parameters
    ----------
    image, valid : TiledImage
        The image in which sites are sought, and its mask.
    record : PanoramaRecord
    settings : Detection
        Of the study.
    presets : mapping of str to Detection
        All parameter sets, that of the study among them or not.
    reference : (image, mask)
        Paths of the panorama whose histogram matched thresholds refer to.
    threads : int, optional

    Returns
    -------
    pandas.DataFrame
        `VERSIONS`.
    """
    counts = count_presets(
        image,
        valid,
        presets={STUDY: settings, **presets},
        area_mm2=record.valid_area_mm2,
        reference=reference_histogram(reference, threads=threads),
        threads=threads,
    )
    own = counts.loc[counts["settings"] == STUDY, "candidates"].iloc[0]
    stopped = counts["candidates"].isna()
    ratio = counts["candidates"].astype(float)
    ratio = ratio / own if pd.notna(own) and own else ratio * float("nan")
    why = "the published code stops with an error on so many close sites"
    table = counts.assign(
        panorama=record.panorama,
        version=counts["settings"],
        ratio=ratio,
        not_estimated=stopped.map({True: why, False: ""}),
    )
    return check_table(table, VERSIONS, source="versions")
