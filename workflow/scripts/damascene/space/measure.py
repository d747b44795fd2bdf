"""Everything that is measured of where the sites of a panorama lie."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from damascene.classes import ALL, DAMAGE, DAMAGE_MECHANISMS, SITE_CLASSES, SITE_LABELS
from damascene.contracts.space import SPACE_CURVES, SPACE_SUMMARY
from damascene.space.area import Area
from damascene.space.blocks import BLOCKS, block_of, ratio_interval
from damascene.space.curves import (
    RINGS,
    Setting,
    distances_um,
    homogeneous_curves,
    inhomogeneous_curves,
    intensity_of,
)
from damascene.space.envelopes import global_envelope, monte_carlo_p
from damascene.space.intensity import DensityMap, density_map
from damascene.space.labelling import holm, random_labelling
from damascene.space.nearest import nearest_um
from damascene.space.nulls import TooDense, random_patterns

#: Sites of a class below which nothing is said of where they lie.
LEAST_SITES = 20
SIMULATIONS = 199
#: Sites that are tested against simulations; of more, so many are drawn.
MOST_TESTED = 2000
#: Classes and sums in the order of the tables.
LABELS = (*SITE_LABELS, DAMAGE, ALL)
_LONGEST_UM = 50.0
_PART_OF_SIDE = 0.25
_MOST_PAIRS = 4e6
# Pairs of simulated patterns that are held at a time.
_PAIRS_AT_ONCE = 2e5
_NO_MAP = "no phase map of the panorama"
_DENSE = "sites are too dense for random ones that keep the merge distance"


@dataclass(frozen=True, kw_only=True, eq=False)
class Space:
    """What is known of where the sites of a panorama lie.

    Attributes
    ----------
    summary, curves, labelling : pandas.DataFrame
        `SPACE_SUMMARY`, `SPACE_CURVES` and `RANDOM_LABELLING`, the last without `panorama`.
    map : DensityMap or None
        Of deformation damage; None for fewer than `LEAST_SITES` sites.
    damage_um : numpy.ndarray, shape (n, 2)
        Where that damage is.
    """

    summary: pd.DataFrame
    curves: pd.DataFrame
    labelling: pd.DataFrame
    map: DensityMap | None
    damage_um: np.ndarray


def measure_space(
    sites: pd.DataFrame,
    area: Area,
    *,
    pixel_um: float,
    hard_core_um: float,
    seed: int,
    fraction: np.ndarray | None = None,
    direction_deg: float | None = None,
    confidence: float = 0.95,
    withheld: str = "",
) -> Space:
    """Measure where the sites of a panorama lie, class by class.

    Classes that deformation makes are also held against a density that follows the hard phase.
    Curves begin at the least distance that two sites can have, that of merging or, where two sites
    are closer all the same, their distance. They end at a quarter of the shorter side, at 50 um, or
    where pairs of all sites would be more than four millions.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SITES` of one panorama.
    area : Area
    pixel_um : float
        Edge of a pixel.
    hard_core_um : float
        Distance within which the detection makes one site of two; 0 for none.
    seed : int
    fraction : numpy.ndarray, shape of the cells, optional
        Local fraction of the hard phase (`intensity.local_fraction`).
    direction_deg : float, optional
        Direction of bands, counter-clockwise from x as seen; along x if not given.
    confidence : float, optional
        Of envelopes and intervals.
    withheld : str, optional
        Why classes are not to be told apart here; empty where they may.

    Returns
    -------
    Space
    """
    # The order of the rows must not decide which sites are drawn.
    sites = sites.sort_values(["y_px", "x_px"], kind="stable")
    points = (sites[["x_px", "y_px"]].to_numpy(float) + 0.5) * pixel_um
    if len(points) > 1:
        hard_core_um = min(hard_core_um, float(nearest_um(points).min()) * (1 - 1e-9))
    setting, too_small = _setting(area, points, hard_core_um, fraction, direction_deg)
    summary, curves = [], []
    for number, label in enumerate(LABELS):
        own = points[_chosen(sites["class"].to_numpy(), label)]
        reason = withheld if label != ALL else ""
        if not reason and len(own) < LEAST_SITES:
            reason = f"fewer than {LEAST_SITES} sites"
        statistics = [
            each
            for each in _STATISTICS
            if each[1] != "hard_phase" or label in (*DAMAGE_MECHANISMS, DAMAGE)
        ]
        rng = np.random.default_rng([seed, number])
        one = _Class(own, setting, rng, confidence, statistics)
        rows, lines = one.measured(reason or too_small)
        told = None if withheld and label != ALL else len(own)
        summary += [{"class": label, "sites": told, **row} for row in rows]
        curves += [line.assign(**{"class": label}) for line in lines]
    table = pd.DataFrame(summary)
    table["p_adjusted"] = table.groupby("statistic")["p_value"].transform(holm)
    names = list(SPACE_SUMMARY.columns)[1:]
    damage = points[_chosen(sites["class"].to_numpy(), DAMAGE)]
    return Space(
        summary=table.reindex(columns=names),
        curves=pd.concat(curves)
        if curves
        else pd.DataFrame(columns=list(SPACE_CURVES.columns)[1:]),
        labelling=_labelling(sites, points, area, seed, withheld),
        map=density_map(damage, area) if len(damage) >= LEAST_SITES and not withheld else None,
        damage_um=damage,
    )


def _setting(area, points, hard_core_um, fraction, direction_deg):
    """Return what all curves share, and why there can be none."""
    pairs_um = np.sqrt(2 * _MOST_PAIRS * area.um2 / np.pi) / max(len(points), 1)
    reach_um = min(_PART_OF_SIDE * area.side_um, _LONGEST_UM, pairs_um)
    if not reach_um > 2 * hard_core_um:
        return None, "the valid area is too narrow for distances beyond that of merging"
    setting = Setting(
        area=area,
        shared=area.covariance(reach_um),
        edges_um=np.linspace(hard_core_um, reach_um, RINGS + 1),
        direction_deg=0.0 if direction_deg is None else direction_deg,
        fraction=fraction,
    )
    return setting, ""


def _chosen(classes, label):
    if label == ALL:
        return np.ones(len(classes), bool)
    return np.isin(classes, DAMAGE_MECHANISMS) if label == DAMAGE else classes == label


def _labelling(sites, points, area, seed, withheld):
    table = random_labelling(
        points,
        sites["class"].to_numpy(str),
        area=area,
        classes=SITE_CLASSES,
        least_sites=LEAST_SITES,
        rng=np.random.default_rng([seed, len(LABELS)]),
    )
    if withheld:
        told = [name for name in table if name not in ("class", "other_class", "near_um")]
        table = table.assign(**dict.fromkeys(told, np.nan)).assign(not_estimated=withheld)
    return table


class _Class:
    """The sites of one class and what is measured of them."""

    def __init__(self, points, setting, rng, confidence, statistics):
        self.points, self.setting, self.rng = points, setting, rng
        self.confidence, self.statistics = confidence, statistics

    def measured(self, reason):
        """Return the rows of the summary and the tables of the curves."""
        if reason:
            return [_row(*each, reason) for each in self.statistics], []
        setting, points = self.setting, self.points
        whole = homogeneous_curves(points[None], setting)
        tested, drawn = points, whole
        if len(points) > MOST_TESTED:
            tested = points[np.sort(self.rng.permutation(len(points))[:MOST_TESTED])]
            drawn = homogeneous_curves(tested[None], setting)
        scope = {"tested": len(tested), "from_um": setting.edges_um[0]}
        scope |= {"to_um": setting.edges_um[-1], "simulations": SIMULATIONS}
        least = {"value": float(whole.nearest_um.min())}
        rows = [_row("smallest_distance_um", "") | least]
        lines = []
        try:
            simulated, ratios = self._simulated(len(tested), homogeneous_curves)
        except TooDense:
            return rows + [_row(*each, _DENSE) for each in self.statistics[1:]], lines
        rows.append(scope | self._clark_evans(whole, drawn, ratios))
        envelopes = {}
        for name, values in whole.by_name.items():
            test = global_envelope(
                drawn.by_name[name][0], simulated[name], confidence=self.confidence
            )
            envelopes[name] = test
            lines.append(self._line(name, "random", values[0], test))
            if (name, "random") in _STATISTICS:
                rows.append(self._tested(name, "random", drawn.by_name[name][0], test) | scope)
        rows.append(self._range(drawn, envelopes["pair_correlation"]) | scope)
        rows.append(self._direction(whole) | {"from_um": scope["from_um"], "to_um": scope["to_um"]})
        of_phase = [each for each in self.statistics if each[1] == "hard_phase"]
        if not of_phase or setting.fraction is None:
            return rows + [_row(*each, _NO_MAP) for each in of_phase], lines
        try:
            found = self._inhomogeneous(tested)
        except TooDense:
            return rows + [_row(*each, _DENSE) for each in of_phase], lines
        for name, (values, test) in found.items():
            lines.append(self._line(name, "hard_phase", values, test))
            rows.append(self._tested(name, "hard_phase", values, test) | scope)
        return rows, lines

    def _simulated(self, count, curves_of, intensity=None):
        """Return the curves of random patterns, by name, and their Clark-Evans ratios."""
        setting = self.setting
        area = setting.area
        pairs = max(count**2 * np.pi * setting.edges_um[-1] ** 2 / area.um2 / 2, count)
        step = int(np.clip(_PAIRS_AT_ONCE // pairs, 1, SIMULATIONS))
        parts, ratios = [], []
        for start in range(0, SIMULATIONS, step):
            patterns = random_patterns(
                area,
                count=count,
                patterns=min(step, SIMULATIONS - start),
                hard_core_um=setting.edges_um[0],
                rng=self.rng,
                intensity=intensity,
            )
            found = curves_of(patterns, setting)
            if curves_of is homogeneous_curves:
                ratios.append(found.clark_evans)
                found = found.by_name
            parts.append(found)
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return joined, np.concatenate(ratios) if ratios else None

    def _inhomogeneous(self, tested):
        setting = self.setting
        simulated, _ = self._simulated(
            len(tested), inhomogeneous_curves, intensity_of(tested, setting)
        )
        observed = inhomogeneous_curves(tested[None], setting)
        return {
            name: (
                values[0],
                global_envelope(values[0], simulated[name], confidence=self.confidence),
            )
            for name, values in observed.items()
        }

    def _line(self, name, null, values, test):
        at_um = distances_um(name, self.setting, count=len(self.points))
        return pd.DataFrame(
            {
                "function": name,
                "null": null,
                "distance_um": at_um,
                "value": values,
                "null_mean": test.mean,
                "null_low": test.low,
                "null_high": test.high,
            }
        )

    def _tested(self, name, null, values, test):
        """Return the row of a curve: where it is farthest from random, outside of its envelope."""
        away = np.abs(values - test.mean) / np.maximum(test.high - test.low, 1e-12)
        outside = (values > test.high) | (values < test.low)
        at = int(np.where(outside | ~outside.any(), away, -1).argmax())
        return _row(name, null) | {
            "value": values[at],
            "at_um": distances_um(name, self.setting, count=len(self.points))[at],
            "null_mean": test.mean[at],
            "null_low": test.low[at],
            "null_high": test.high[at],
            "p_value": test.p_value,
        }

    def _clark_evans(self, whole, drawn, ratios):
        blocks = self._blocks()
        value = float(whole.clark_evans[0])
        row = _row("clark_evans", "random")
        if not np.isfinite(value):
            return row | {"not_estimated": "no site is nearer to its neighbour than to the border"}
        weights = np.bincount(blocks, whole.weights, BLOCKS**2)
        weighted = np.bincount(blocks, whole.weights * whole.nearest_um, BLOCKS**2)
        low, high, _ = ratio_interval(weighted, weights, confidence=self.confidence)
        scale = 2 * np.sqrt(len(self.points) / self.setting.area.um2)
        tail = (1 - self.confidence) / 2
        null_low, null_high = np.nanquantile(ratios, [tail, 1 - tail])
        return row | {
            "value": value,
            "low": low * scale,
            "high": high * scale,
            "null_mean": np.nanmean(ratios),
            "null_low": null_low,
            "null_high": null_high,
            "p_value": monte_carlo_p(float(drawn.clark_evans[0]), ratios),
            # In small or narrow areas some patterns have no site away from the border.
            "simulations": int(np.isfinite(ratios).sum()),
        }

    def _range(self, drawn, test):
        """Return the distance up to which sites lie together more often than by chance."""
        values = drawn.by_name["pair_correlation"][0]
        row = _row("clustering_range_um", "random")
        beyond = values > test.high
        if test.p_value > 1 - self.confidence or not beyond.any():
            return row | {"not_estimated": "no more pairs than of random sites at any distance"}
        edges = self.setting.edges_um
        if beyond[-1]:
            return row | {"not_estimated": f"clustered to the longest distance, {edges[-1]:.3g} um"}
        return row | {"value": edges[1 + np.flatnonzero(beyond)[-1]]}

    def _direction(self, whole):
        pairs, blocks = whole.pairs, self._blocks()
        row = _row("along_over_across", "direction") | {"direction_deg": self.setting.direction_deg}
        sums = [
            sum(
                np.bincount(blocks[ends[kind]], pairs.weight[kind], BLOCKS**2)
                for ends in (pairs.first, pairs.second)
            )
            for kind in (pairs.along, ~pairs.along)
        ]
        low, high, p_value = ratio_interval(*sums, confidence=self.confidence)
        if not np.isfinite(p_value):
            return row | {"not_estimated": "too few blocks of the panorama hold pairs of sites"}
        value = sums[0].sum() / sums[1].sum()
        return row | {"value": value, "low": low, "high": high, "p_value": p_value}

    def _blocks(self):
        rows, columns = self.setting.area.valid.shape
        cell_um = self.setting.area.cell_um
        return block_of(self.points, (columns * cell_um, rows * cell_um))


#: What the summary has of each class, and against what it is held.
_STATISTICS = (
    ("smallest_distance_um", ""),
    ("clark_evans", "random"),
    ("nearest", "random"),
    ("ripley_l", "random"),
    ("pair_correlation", "random"),
    ("clustering_range_um", "random"),
    ("along_over_across", "direction"),
    ("ripley_l_inhomogeneous", "hard_phase"),
    ("pair_correlation_inhomogeneous", "hard_phase"),
)


def _row(statistic, null, reason=""):
    return {"statistic": statistic, "null": null, "p_value": np.nan, "not_estimated": reason}
