"""Raw and corrected counts of a study, side by side."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES
from damascene.classification.calibration import site_probabilities
from damascene.contracts.corrected import CORRECTED
from damascene.contracts.detection_recall import DETECTION_RECALL
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.sites import PROBABILITIES
from damascene.contracts.table import check_table, empty_table
from damascene.correction.counts import (
    METHOD,
    METHODS,
    REPLICATES,
    Panorama,
    block_replicates,
    class_counts,
    count_replicates,
)
from damascene.correction.held_out import (
    HeldOut,
    answers_of,
    held_out_answers,
    why_not_corrected,
)
from damascene.correction.planting import LEAST_AREA_PX
from damascene.correction.recall import (
    fit_recall,
    recall_replicates,
    recall_table,
    sites_of,
    why_no_curve,
)
from damascene.seeds import derive_seed
from damascene.statistics.blocks import block_sizes, choose_blocks, count_in_cells
from damascene.units import area_px

#: Rows of each panorama.
ROWS = (*SITE_CLASSES, DAMAGE, ALL)
#: Why a panorama in which nothing was counted has no corrected count, and no recall of its sites.
NO_SITE = "no site was counted, and what is not there cannot be corrected: see the raw interval"
_IS_DAMAGE = np.isin(SITE_CLASSES, DAMAGE_MECHANISMS)


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What is known of all panoramas of a study.

    Attributes
    ----------
    sites, quality, densities, planted, contrasts : pandas.DataFrame
        `SITES`, `QUALITY`, `DENSITIES`, `PLANTED_VOIDS` and `SITE_CONTRASTS`.
    held_out : pandas.DataFrame or None
        `HELD_OUT`; None where no labels test the networks.
    """

    sites: pd.DataFrame
    quality: pd.DataFrame
    densities: pd.DataFrame
    planted: pd.DataFrame
    contrasts: pd.DataFrame
    held_out: pd.DataFrame | None

    def by_panorama(self) -> Callable[[str], "Tables"]:
        """Return a function: the rows of one panorama; labels are those of all of them."""
        names = ("sites", "quality", "densities", "planted", "contrasts")
        tables = {name: getattr(self, name) for name in names}
        parts = {name: table.groupby("panorama").indices for name, table in tables.items()}

        def of(panorama):
            own = {
                name: table.iloc[parts[name].get(panorama, np.empty(0, np.intp))]
                for name, table in tables.items()
            }
            return replace(self, **own)

        return of


def correct_counts(
    tables: Tables,
    records: Iterable[PanoramaRecord],
    *,
    conditions: Mapping[str, str],
    minimum_area: str,
    confidence: float,
    seed: int,
    replicates: int = REPLICATES,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Correct the counts of all panoramas.

    Parameters
    ----------
    tables : Tables
    records : iterable of PanoramaRecord
        In the order of the result.
    conditions : mapping of panorama to str
    minimum_area : str
        Sites that are counted are larger than this, as in the configuration.
    confidence : float
    seed : int
    replicates : int, optional

    Returns
    -------
    corrected : pandas.DataFrame
        `CORRECTED`.
    recall : pandas.DataFrame
        `DETECTION_RECALL`.
    """
    reason = why_not_corrected(tables.held_out)
    held_out = None if reason else held_out_answers(tables.held_out)
    of, rows, recalls = tables.by_panorama(), [], []
    for record in records:
        name = record.panorama
        own = of(name)
        least = {"least_area_um2": _area_um2(minimum_area, record.pixel_size_nm)}
        recalls.append(recall_table(own.planted, panorama=name, confidence=confidence, **least))
        rows += _panorama_rows(
            own,
            record,
            held_out,
            reason,
            **least,
            confidence=confidence,
            seed=derive_seed(seed, name),
            replicates=replicates,
        )
    if not rows:
        return empty_table(CORRECTED), empty_table(DETECTION_RECALL)
    table = pd.DataFrame(rows)
    table = table.assign(condition=table["panorama"].map(conditions).fillna(""))
    return (
        check_table(table, CORRECTED, source="corrected counts"),
        check_table(pd.concat(recalls), DETECTION_RECALL, source="recall of the detector"),
    )


def _area_um2(minimum_area, pixel_size_nm):
    pixel_um2 = (pixel_size_nm / 1000) ** 2
    return max(area_px(minimum_area, pixel_size_nm=pixel_size_nm), LEAST_AREA_PX) * pixel_um2


def _panorama_rows(
    tables: Tables,
    record: PanoramaRecord,
    held_out: HeldOut | None,
    reason: str,
    *,
    least_area_um2: float,
    confidence: float,
    seed: int,
    replicates: int,
):
    sites = tables.sites
    raw = tables.densities.set_index("class")
    unlabelled = (sites["label"] == "").to_numpy()
    withheld = {name: raw.loc[name, "not_estimated"] for name in ROWS}
    if not len(sites):
        reason = NO_SITE
    elif not unlabelled.any():
        # People named all of them: no answer of a network is counted.
        reason = ""
    elif sites.loc[unlabelled, list(PROBABILITIES)].isna().any(axis=None):
        reason = reason or "the networks gave some sites no probability"
    options = {"replicates": replicates, "seed": seed}
    panorama = _in_blocks(tables, None if reason else held_out, record.pixel_size_nm)
    counts, drawn = _found(panorama, held_out, reason, unlabelled.any(), options)
    recall, drawn_recall, note = _recall(tables, least_area_um2, options)
    if not reason and not any(withheld[name] for name in SITE_CLASSES):
        recall, drawn_recall, drawn_over = _of_sums(
            counts["corrected"], drawn, recall, drawn_recall
        )
    else:
        drawn_over = drawn_recall
    area = record.valid_area_mm2
    levels = [(1 - confidence) / 2, (1 + confidence) / 2]
    rows = []
    for index, name in enumerate(ROWS):
        why_not = withheld[name] or (reason if name != ALL or not len(sites) else "")
        if name == ALL and np.isnan(recall[index]):
            why_not = why_not or note
        row = {
            "panorama": record.panorama,
            "class": name,
            **_raw(raw.loc[name]),
            "not_estimated": why_not,
            "note": "" if why_not else note,
            "confidence": confidence,
            "recall": recall[index],
        }
        row["recall_low"], row["recall_high"] = _bounds(drawn_recall[:, index], levels)
        if name in SITE_CLASSES and not why_not:
            row |= {f"{method}_count": counts[method][index] for method in METHODS}
        if not why_not:
            over, by = (1.0, 1.0) if note else (recall[index], drawn_over[:, index])
            corrected = counts["corrected"][index] / over
            low, high = _bounds(drawn[:, index] / by, levels)
            low, high = _no_narrower(low / area, high / area, corrected / area, row)
            row |= {
                "corrected_count": corrected,
                "corrected_density_per_mm2": corrected / area,
                "corrected_low_per_mm2": low,
                "corrected_high_per_mm2": high,
                "method": _method(name, unlabelled.any(), note),
            }
        rows.append(row)
    return [dict.fromkeys(CORRECTED.columns) | {"method": ""} | row for row in rows]


def _of_sums(found, drawn, recall, drawn_recall):
    """Return the recall of all rows, those of sums such that corrected counts add up.

    A sum of classes has the sites of its classes over the voids that these stand for. The classes
    are the corrected ones: the class of a site, by which a sum could have a recall of its own, is
    what the networks confuse.

    Returns
    -------
    recall : numpy.ndarray, float64, shape (rows,)
    drawn_recall : numpy.ndarray, float64, shape (replicates, rows)
        What is uncertain of it: the curve alone.
    drawn_over : numpy.ndarray, float64, shape (replicates, rows)
        By what drawn numbers of found sites are divided: the shares of the classes are drawn, too.
    """
    classes = len(SITE_CLASSES)
    found, drawn = found[:classes], drawn[:, :classes]
    by_class, by_class_drawn = recall[:classes], drawn_recall[:, :classes]

    def summed(own, numbers, of_class):
        own = own.copy()
        for row, members in ((classes, _IS_DAMAGE), (classes + 1, np.ones(classes, bool))):
            total = numbers[..., members].sum(axis=-1)
            voids = (numbers / of_class)[..., members].sum(axis=-1)
            # Nothing of a sum was found: it keeps the recall of its sites by label or answer.
            own[..., row] = np.where(
                total > 0, total / np.where(total > 0, voids, 1), own[..., row]
            )
        return own

    return (
        summed(recall, found, by_class),
        summed(drawn_recall, found, by_class_drawn),
        summed(drawn_recall, drawn, by_class_drawn),
    )


def _no_narrower(low, high, corrected, raw):
    """Return bounds that are, in relation to the corrected density, at least as wide as raw ones.

    The number of sites and the shares of the classes are made wider for few blocks each by itself,
    but not what they have in common, and shares may scatter less than Poisson counts do. Without
    any error of the networks, drawn intervals of a class are up to 4 % narrower than raw ones.
    """
    low, high = min(low, corrected), max(high, corrected)
    density = raw["density_per_mm2"]
    if density > 0 and corrected > 0:
        low = min(low, corrected * raw["low_per_mm2"] / density)
        high = max(high, corrected * raw["high_per_mm2"] / density)
    return low, high


def _method(name, has_unlabelled, note):
    parts = [] if name == ALL else [METHOD if has_unlabelled else "labels"]
    return " and ".join([*parts, *([] if note else ["recall"])])


def _raw(row):
    low, high = row["block_low_per_mm2"], row["block_high_per_mm2"]
    if pd.isna(low):
        low, high = row["density_low_per_mm2"], row["density_high_per_mm2"]
    return {
        "strain_percent": row["strain_percent"],
        "count": row["count"],
        "density_per_mm2": row["density_per_mm2"],
        "low_per_mm2": low,
        "high_per_mm2": high,
        "labelled": row["labelled"],
    }


def _bounds(values, levels):
    if np.isnan(values).all():
        return np.nan, np.nan
    low, high = np.quantile(values, levels)
    return float(low), float(high)


def _in_blocks(tables, held_out, pixel_size_nm):
    """Return the panorama for the correction of classes; without one, scores are 0."""
    sites = tables.sites
    unlabelled = (sites["label"] == "").to_numpy()
    scores = np.zeros((len(sites), len(SITE_CLASSES)))
    if held_out is not None and unlabelled.any():
        scores[unlabelled] = held_out.scores_of(site_probabilities(sites[unlabelled]))
    labelled = (sites["label"].to_numpy(str)[:, None] == np.array(SITE_CLASSES)).astype(float)
    columns = np.hstack([scores, labelled, np.ones((len(sites), 1))])
    cells = count_in_cells(sites, columns, tables.quality, pixel_size_nm=pixel_size_nm)
    sizes = block_sizes(cells)
    blocks = sizes[choose_blocks(sizes, among=columns.shape[1] - 1)]
    return Panorama(
        answers=answers_of(sites.loc[unlabelled, "predicted_class"]),
        scores=scores[unlabelled],
        labelled=labelled.sum(axis=0),
        block_sums=blocks.counts[:, :-1],
        block_areas_mm2=blocks.areas_mm2,
        block_numbers=blocks.counts[:, -1],
    )


def _found(panorama, held_out, reason, has_unlabelled, options):
    """Return counts of found sites by method and as corrected, and replicates, for all rows."""
    number = panorama.block_numbers.sum()
    every = block_replicates(panorama.block_numbers[:, None], panorama.block_areas_mm2, **options)
    classes = len(SITE_CLASSES)
    if reason:
        nothing = np.full(classes, np.nan)
        counts, drawn = dict.fromkeys(METHODS, nothing), np.full((len(every), classes), np.nan)
    elif has_unlabelled:
        counts = class_counts(panorama, held_out)
        drawn = count_replicates(panorama, held_out, **options)
    else:
        counts = dict.fromkeys(METHODS, panorama.labelled)
        labelled = panorama.block_sums[:, classes:]
        labelled = np.hstack([labelled, labelled[:, _IS_DAMAGE].sum(axis=1, keepdims=True)])
        drawn = block_replicates(labelled, panorama.block_areas_mm2, **options)
    best = counts[METHOD]
    corrected = np.append(best, [best[_IS_DAMAGE].sum(), number])
    if drawn.shape[1] == classes:
        drawn = np.hstack([drawn, drawn[:, _IS_DAMAGE].sum(axis=1, keepdims=True)])
    drawn = np.hstack([drawn, every])
    return counts | {"corrected": corrected}, drawn


def _recall(tables, least_area_um2, options):
    """Return the recall of all rows, replicates of it, and why there is none."""
    nothing = np.full(len(ROWS), np.nan), np.full((options["replicates"], len(ROWS)), np.nan)
    note = why_no_curve(tables.planted, least_area_um2)
    if note:
        return *nothing, f"not corrected for what the detector misses: {note}"
    sites = tables.sites.merge(
        tables.contrasts, on=["panorama", "site_id"], how="left", validate="many_to_one"
    )
    unknown = int(sites["contrast"].isna().sum())
    if unknown:
        why = f"the contrast of {unknown} of {len(sites)} sites was not measured"
        return *nothing, f"not corrected for what the detector misses: {why}"
    own = sites["class"].to_numpy(str)
    members = [*((own == name) for name in SITE_CLASSES), np.isin(own, DAMAGE_MECHANISMS)]
    members = np.column_stack([*members, np.ones(len(sites), bool)])
    recall, drawn = recall_replicates(
        fit_recall(sites_of(tables.planted, least_area_um2)),
        sites["area_um2"].to_numpy(float),
        sites["contrast"].to_numpy(float),
        members,
        **options,
    )
    return recall, drawn, ""
