"""All tables of sizes of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from scipy import stats

from damascene.contracts.orientations import ORIENTATIONS, SIZES_3D
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.phase_descriptors import ALL_PANORAMAS
from damascene.contracts.size_fits import SIZE_FITS, SIZE_TRENDS
from damascene.sizes import orientations, saltykov
from damascene.sizes.distribution import size_distribution
from damascene.sizes.lognormal import fit_lognormal
from damascene.space.blocks import BLOCKS, block_of, ratio_interval
from damascene.statistics.density import ROW_LABELS, by_class, rows_by_panorama
from damascene.statistics.intervals import median_interval
from damascene.units import area_px

#: What sizes are held against: columns of the sample sheet.
PREDICTORS = ("strain_percent", "triaxiality")
# Values of a predictor from which on there is a trend, and sites behind each.
_LEAST_VALUES = 3
_LEAST_SITES = 6
# Blocks that hold sites, from which on an area fraction has an interval.
_LEAST_BLOCKS = 5
_FEW = "fewer than {} {}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sizes:
    """Tables of sizes.

    Attributes
    ----------
    sizes, fits, trends, orientations, in_space : pandas.DataFrame
        `SIZES`, `SIZE_FITS`, `SIZE_TRENDS`, `ORIENTATIONS` and `SIZES_3D`.
    """

    sizes: pd.DataFrame
    fits: pd.DataFrame
    trends: pd.DataFrame
    orientations: pd.DataFrame
    in_space: pd.DataFrame


def measure_sizes(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    blocks: pd.DataFrame,
    sheet: Mapping[str, Mapping[str, float]],
    minimum_area: str,
    confidence: float = 0.95,
    withheld: Mapping[str, str] = MappingProxyType({}),
) -> Sizes:
    """Measure the sizes and directions of sites.

    Sites that are cut off at the border or beside what is not valid count for area fractions only:
    their size and direction are not seen.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of all panoramas.
    records : sequence of PanoramaRecord
        Of these, in the order of the result.
    blocks : pandas.DataFrame
        `QUALITY` of all panoramas: where how much is valid.
    sheet : mapping of panorama to mapping of str to float
        Its `strain_percent` and `triaxiality`, NaN where not known.
    minimum_area : str
        Detection limit, as in the configuration.
    confidence : float, optional
    withheld : mapping of panorama to str, optional
        Why classes are not to be told apart there: such panoramas have rows without numbers, none
        in `sizes`, and no part in what is said of all panoramas.
    """
    sites = sites[~sites["panorama"].isin(list(withheld))]
    names = [one.panorama for one in records]
    limits_px = {
        one.panorama: area_px(minimum_area, pixel_size_nm=one.pixel_size_nm) for one in records
    }
    fits, directions, in_space = [], [], []
    whole = sites[~(sites["touches_border"] | sites["touches_mask"])]
    # Once, and not a search through all rows for each of a thousand panoramas.
    whole_of, sites_of, blocks_of = (rows_by_panorama(each) for each in (whole, sites, blocks))
    for record in records:
        name = record.panorama
        if name in withheld:
            reasons = [
                {"panorama": name, "class": label, "not_estimated": withheld[name]}
                for label in ROW_LABELS
            ]
            known = {each: sheet[name][each] for each in PREDICTORS}
            known |= {"limit_um2": limits_px[name] * record.pixel_size_nm**2 / 1e6}
            fits += [row | known | {"confidence": confidence} for row in reasons]
            directions += reasons
            in_space += [row | {"negative": False} for row in reasons]
            continue
        own_blocks = _Blocks(blocks_of(name))
        pixel_um2 = (record.pixel_size_nm / 1000) ** 2
        limit_um = 2 * np.sqrt((np.floor(limits_px[name]) + 0.5) * pixel_um2 / np.pi)
        own, cut = by_class(whole_of(name)), by_class(sites_of(name))
        for (label, chosen), (_, counted) in zip(own, cut, strict=True):
            fits.append(
                {
                    "panorama": name,
                    **{each: sheet[name][each] for each in PREDICTORS},
                    "class": label,
                    "sites": len(counted),
                    "fitted": len(chosen),
                    "limit_um2": limits_px[name] * pixel_um2,
                    **_fitted(chosen, pixel_um2, limits_px[name], confidence),
                    **own_blocks.area_fraction(counted, confidence),
                    "confidence": confidence,
                }
            )
            key = {"panorama": name, "class": label}
            directions.append(key | _direction(chosen, confidence))
            in_space += [
                key | row for row in _unfolded(chosen, limit_um, record.valid_area_mm2, confidence)
            ]
    if len(names) > 1:
        for label, chosen in by_class(whole):
            key = {"panorama": ALL_PANORAMAS, "class": label}
            directions.append(key | _direction(chosen, confidence))
    fits = pd.DataFrame(fits).reindex(columns=list(SIZE_FITS.columns))
    return Sizes(
        sizes=size_distribution(sites, panoramas=[one for one in names if one not in withheld]),
        fits=fits,
        trends=size_trends(fits, confidence=confidence),
        orientations=pd.DataFrame(directions).reindex(columns=list(ORIENTATIONS.columns)),
        in_space=pd.DataFrame(in_space).reindex(columns=list(SIZES_3D.columns)),
    )


def size_trends(fits: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Return how median diameters change with strain and with triaxiality.

    A straight line through the logarithms of the medians, one point a panorama: its interval
    follows from the scatter of panoramas, which is more than that of sites within one.

    Parameters
    ----------
    fits : pandas.DataFrame
        `SIZE_FITS`.
    confidence : float, optional

    Returns
    -------
    pandas.DataFrame
        `SIZE_TRENDS`; of triaxiality only if the study gives one.
    """
    rows = []
    used = [name for name in PREDICTORS if name == PREDICTORS[0] or fits[name].notna().any()]
    for label, own in fits.groupby("class", sort=False):
        for predictor in used:
            told = own[own[predictor].notna() & own["seen_median_diameter_low_um"].notna()]
            row = {"class": label, "predictor": predictor, "panoramas": len(told)}
            if told[predictor].nunique() < _LEAST_VALUES:
                what = f"values of {predictor} with {_LEAST_SITES} sites each"
                rows.append(row | {"not_estimated": _FEW.format(_LEAST_VALUES, what)})
                continue
            line = stats.linregress(told[predictor], np.log(told["seen_median_diameter_um"]))
            half = stats.t.ppf((1 + confidence) / 2, len(told) - 2) * line.stderr
            rows.append(
                row
                | {
                    "change": np.exp(line.slope),
                    "low": np.exp(line.slope - half),
                    "high": np.exp(line.slope + half),
                    "p_value": line.pvalue,
                    "not_estimated": "",
                }
            )
    return pd.DataFrame(rows).reindex(columns=list(SIZE_TRENDS.columns))


def _fitted(sites, pixel_um2, limit_px, confidence):
    """Return medians of the sites seen and of the fitted distribution."""
    diameters = sites["equivalent_diameter_um"].to_numpy(float)
    low, high = median_interval(diameters, confidence=confidence)
    fit = asdict(
        fit_lognormal(
            sites["area_px"], pixel_um2=pixel_um2, limit_px=limit_px, confidence=confidence
        )
    )
    return {
        "seen_median_diameter_um": np.median(diameters) if np.isfinite(low) else np.nan,
        "seen_median_diameter_low_um": low,
        "seen_median_diameter_high_um": high,
        **{
            f"median_diameter{bound}_um": 2 * np.sqrt(fit[f"median{bound}_um2"] / np.pi)
            for bound in ("", "_low", "_high")
        },
        **{f"median_area{bound}_um2": fit[f"median{bound}_um2"] for bound in ("", "_low", "_high")},
        **{f"deviation{bound}": fit[f"deviation{bound}"] for bound in ("", "_low", "_high")},
        "hidden_fraction": fit["hidden"],
        "fit_p_value": fit["p_value"],
        "not_estimated": fit["not_estimated"],
    }


def elongated_directions(sites: pd.DataFrame) -> np.ndarray:
    """Return the directions of elongated sites, counter-clockwise from x as seen, in degrees."""
    chosen = sites[sites["aspect_ratio"] >= orientations.LEAST_ASPECT_RATIO]
    return -chosen["orientation_deg"].to_numpy(float)


def _direction(sites, confidence):
    angles = elongated_directions(sites)
    row = {"sites": len(sites), "elongated": len(angles)}
    least = orientations.LEAST_SITES
    if len(angles) < least:
        return row | {"not_estimated": _FEW.format(least, "elongated sites")}
    found = orientations.mean_direction(angles, confidence=confidence)
    known = np.isfinite(found.mean_deg)
    return row | asdict(found) | {"not_estimated": "" if known else "no direction beyond chance"}


def _unfolded(sites, limit_um, area_mm2, confidence):
    diameters = sites["equivalent_diameter_um"].to_numpy(float)
    if len(diameters) < saltykov.LEAST_SITES:
        reason = _FEW.format(saltykov.LEAST_SITES, "sites")
        return [{"sections": len(diameters), "negative": False, "not_estimated": reason}]
    edges = saltykov.class_edges(diameters, limit_um=limit_um)
    counts = np.histogram(diameters, edges)[0]
    numbers = saltykov.unfold(counts, edges, area_mm2=area_mm2, confidence=confidence)
    rows = zip(
        edges[:-1],
        edges[1:],
        counts,
        *(np.maximum(each, 0) for each in numbers),
        numbers[0] < 0,
        strict=True,
    )
    names = ("low_um", "high_um", "sections", "per_mm3", "low_per_mm3", "high_per_mm3", "negative")
    return [dict(zip(names, row, strict=True)) | {"not_estimated": ""} for row in rows]


class _Blocks:
    """Valid area of a panorama in a few large blocks, from the blocks of its quality."""

    def __init__(self, blocks):
        ends = [
            (blocks[f"{side}_px"] + blocks[f"{size}_px"]).max()
            for side, size in (("left", "width"), ("top", "height"))
        ]
        self.extent = tuple(np.maximum(ends, 1))
        centres = np.column_stack(
            [
                blocks["left_px"] + blocks["width_px"] / 2,
                blocks["top_px"] + blocks["height_px"] / 2,
            ]
        )
        valid = blocks["valid_fraction"] * blocks["width_px"] * blocks["height_px"]
        self.valid_px = np.bincount(
            block_of(centres, self.extent), valid.to_numpy(float), BLOCKS**2
        )

    def area_fraction(self, sites, confidence):
        """Return the part of the valid area that sites take up."""
        centres = sites[["x_px", "y_px"]].to_numpy(float)
        place = block_of(np.clip(centres, 0, None), self.extent)
        site_px = np.bincount(place, sites["area_px"].to_numpy(float), BLOCKS**2)
        low, high, _ = ratio_interval(site_px, self.valid_px, confidence=confidence)
        # A single huge site leaves a bound that no area can have.
        high = min(high, 1.0)
        if (site_px > 0).sum() < _LEAST_BLOCKS:
            low = high = np.nan
        total = self.valid_px.sum()
        return {
            "area_fraction": site_px.sum() / total if total > 0 else np.nan,
            "area_fraction_low": low,
            "area_fraction_high": high,
        }
