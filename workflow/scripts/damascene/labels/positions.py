"""Whether labels lie on sites, and what a file may have meant whose labels do not."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from damascene import InputError
from damascene.contracts.labels import POSITIONS
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table, empty_table
from damascene.detection.matching import match_points
from damascene.labels.kept import complete
from damascene.labels.readings import Reading, other_readings
from damascene.labels.tiles import Tiles
from damascene.problems import named_rows

# Of honest labels of real steel 2 % lie on no candidate, most of them shadows, which the detection
# leaves out; more if it leaves out small sites, too. Beyond a tenth it is said.
_TOLD_SHARE = 0.1
# Fewer are not told: one or two prove nothing.
_TOLD_LABELS = 3
# If three quarters lie on none, positions are wrong, or the detection finds other things than the
# people who labelled: neither can be trained or counted with.
_LEAST_ON = 0.25
# So few of the labels would be on candidates by bad luck only, were half of them meant to be.
_LUCK = 0.05
# Another reading explains a good part of the labels that miss, three at least, and not by chance.
_EXPLAINED = 0.25
_CHANCE = 0.01
# A reading that moves a label less than this many tolerances says nothing.
_MOVED = 5
# Places in a panorama at which the share by chance is measured, along its longer edge.
_PROBES = 400


def check_positions(
    given: pd.DataFrame,
    candidates: Mapping[str, pd.DataFrame],
    records: Sequence[PanoramaRecord],
    *,
    tiles: Mapping[str, Tiles],
    tolerance_px: Mapping[str, float],
) -> pd.DataFrame:
    """Refuse label files whose positions miss the candidates, and count where labels lie.

    A position is a label here, however many people answered there. Labels that say which candidate
    was looked at are counted, and not refused: their positions are right, and the detection finds
    other sites since.

    Parameters
    ----------
    given : pandas.DataFrame
        `GIVEN_ANSWERS` of label files.
    candidates : mapping of str to pandas.DataFrame
        `CANDIDATES` of every panorama with labels.
    records : sequence of PanoramaRecord
        Of these panoramas.
    tiles : mapping of str to Tiles
        Of panoramas made of a grid or of frames.
    tolerance_px : mapping of str to float
        How far outside a candidate's bounding box its labels may lie, by panorama.

    Returns
    -------
    pandas.DataFrame
        `POSITIONS`.

    Raises
    ------
    InputError
        If many of the labels of a file that lie on no candidate lie on one when they are read in
        another way, with that way; and if three quarters lie on none, with what to check.
    """
    # The files of a folder are judged together: each may have few labels.
    given = given.assign(file=given["file"].str.split("/", n=1).str[0])
    labels = given.drop_duplicates(["file", "panorama", "x_px", "y_px", "tile"])
    if labels.empty:
        return empty_table(POSITIONS)
    of_panorama = {
        one.panorama: Target(candidates[one.panorama], one, tolerance_px=tolerance_px[one.panorama])
        for one in records
    }
    rows, refusable = [], []
    for (file, panorama), part in labels.groupby(["file", "panorama"], sort=False):
        target = of_panorama[panorama]
        points = part[["x_px", "y_px"]].to_numpy(float)
        on = target.sites(points) >= 0
        refusable.append(complete(part)["given_site_id"].isna().any())
        if refusable[-1]:
            frames = _frames(part["tile"], target.record, tiles.get(panorama, Tiles()))
            others = [each for name, each in of_panorama.items() if name != panorama]
            _refuse_misread(file, points, frames, on, target, others)
        rows.append(
            {
                "file": file,
                "panorama": panorama,
                "labels": len(part),
                "on_no_candidate": int((~on).sum()),
                "share": float((~on).mean()),
                "share_by_chance": 1 - target.chance,
            }
        )
    table = pd.DataFrame(rows)
    of_tiles = any(
        tiles.get(name, Tiles()).count > 1 for name in labels["panorama"][labels["tile"] == ""]
    )
    for _, of_file in table[refusable].groupby("file", sort=False):
        for chosen in (of_file, *(of_file.iloc[[row]] for row in range(len(of_file)))):
            _refuse_misses(chosen, ask_for_tile=of_tiles)
    return check_table(table, POSITIONS, source="positions of labels")


class Target:
    """Candidates of a panorama, on which labels may lie.

    Parameters
    ----------
    candidates : pandas.DataFrame
        `CANDIDATES`.
    record : PanoramaRecord
    tolerance_px : float
    """

    def __init__(
        self, candidates: pd.DataFrame, record: PanoramaRecord, *, tolerance_px: float
    ) -> None:
        self.record, self.tolerance_px = record, tolerance_px
        self._candidates = candidates
        size = np.array([record.width_px, record.height_px])
        counts = np.ceil(_PROBES * size / size.max()).astype(int)
        x, y = (
            (np.arange(count) + 0.5) * edge / count - 0.5
            for count, edge in zip(counts, size, strict=True)
        )
        probes = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        whole_mm2 = size.prod() * (record.pixel_size_nm * 1e-6) ** 2
        inside = (self.sites(probes) >= 0).mean() * whole_mm2 / max(record.valid_area_mm2, 1e-12)
        #: Share of the valid area in which a label lies on a candidate.
        self.chance = float(min(inside, 1.0))

    def sites(self, points: np.ndarray) -> np.ndarray:
        """Return the candidate on which each position lies, -1 where there is none."""
        return match_points(points, self._candidates, tolerance_px=self.tolerance_px)


def position_notes(positions: pd.DataFrame) -> list[str]:
    """Return a sentence for each file and panorama of which many labels lie on no candidate."""
    many = positions[
        (positions["share"] > _TOLD_SHARE) & (positions["on_no_candidate"] >= _TOLD_LABELS)
    ]
    return [
        f"{row.panorama}: {row.on_no_candidate} of {row.labels} labels of {row.file} lie on no "
        "candidate. They are no sites and are not counted. Check their positions, or the limits of "
        "the detection."
        for row in many.itertuples()
    ]


def correction_notes(answers: pd.DataFrame, positions: pd.DataFrame) -> list[str]:
    """Return a sentence for each file and panorama of which a label lies on no candidate.

    Where labels only correct classes, each of them is meant to change a site.

    Parameters
    ----------
    answers : pandas.DataFrame
        `ANSWERS`.
    positions : pandas.DataFrame
        `POSITIONS`.
    """
    off = answers[answers["site_id"] < 0]
    lines = []
    for row in positions[positions["on_no_candidate"] > 0].itertuples():
        of_file = off["file"].str.partition("/")[0] == row.file
        rows = off["row"][of_file & (off["panorama"] == row.panorama)]
        lines.append(
            f"{row.panorama}: {row.on_no_candidate} of {row.labels} labels of {row.file} "
            f"({named_rows(sorted(rows.unique()))}) lie on no candidate and correct no site. Check "
            "their positions, or the limits of the detection."
        )
    return lines


def _frames(tile_names, record, tiles):
    whole = (0, 0, record.width_px, record.height_px)
    return np.array([tiles.find(name) if name else whole for name in tile_names], float)


def _refuse_misread(file, points, frames, on, target, others):
    """Raise `InputError` if most labels that miss would not, were they read in another way."""
    misses = points[~on]
    tried = [
        (target, reading)
        for reading in other_readings(
            misses, frames[~on], pixel_size_nm=target.record.pixel_size_nm
        )
    ]
    tried += [
        (each, Reading(words=f"in panorama '{each.record.panorama}'", points=misses))
        for each in others
    ]
    fitting = {}
    for each, reading in tried:
        explained, chance = _explained(misses, each, reading, same=target)
        least = max(_TOLD_LABELS, _EXPLAINED * len(misses))
        if explained >= least and chance * len(tried) <= _CHANCE:
            fitting.setdefault(explained, reading.words)
    if not fitting:
        return
    explained = max(fitting)
    raise InputError(
        f"{file}: {len(misses)} of {len(points)} labels of panorama '{target.record.panorama}' lie "
        f"on no candidate, and {explained} of these fit {fitting[explained]}. "
        f"{_remedy(fitting[explained])}"
    )


def _explained(misses, target, reading, *, same):
    """Return how many labels that miss fit in another reading, and the probability by chance."""
    points = reading.points
    sites = target.sites(points)
    if target is same:
        far = np.linalg.norm(points - misses, axis=1) > _MOVED * target.tolerance_px
        sites = np.where(far, sites, -1)
    # Labels of one place are one hit: a reading that draws all together has luck once.
    places = len(np.unique(np.round(points / (2 * target.tolerance_px)), axis=0))
    hit = len(np.unique(sites[sites >= 0]))
    chance = stats.binom.sf(hit - 1, places, target.chance)
    return int((sites >= 0).sum()), float(chance)


def _remedy(words):
    if words == "with x and y exchanged":
        return (
            "x_px is the column and y_px the row. Correct the file, or write columns: {x_px: y_px, "
            "y_px: x_px} in the configuration, with the names that the file has."
        )
    if words.startswith("in panorama"):
        return "Correct the column `panorama`, or the key of that name in the configuration."
    if words.startswith("as positions in the panorama"):
        return "Leave `tile` out of `columns`."
    return (
        "Positions are columns and rows in pixels of the panorama or tile as it is imported, from "
        "0 at its upper left. Correct the file."
    )


def _refuse_misses(rows, *, ask_for_tile):
    """Raise `InputError` if too few of some labels lie on candidates for positions to be right."""
    labels, missed = int(rows["labels"].sum()), int(rows["on_no_candidate"].sum())
    chance = float(np.average(1 - rows["share_by_chance"], weights=rows["labels"]))
    meant = (1 - missed / labels - chance) / max(1 - chance, 1e-9)
    if meant >= _LEAST_ON or stats.binom.cdf(labels - missed, labels, 0.5) > _LUCK:
        return
    files = ", ".join(dict.fromkeys(rows["file"]))
    panoramas = list(dict.fromkeys(rows["panorama"]))
    where = f"panorama '{panoramas[0]}'" if len(panoramas) == 1 else f"{len(panoramas)} panoramas"
    ask = "Is `tile` missing from `columns`? " if ask_for_tile else ""
    raise InputError(
        f"{files}: {missed} of {labels} labels of {where} lie on no candidate; of positions at "
        f"random, {round((1 - chance) * 100)} % would. {ask}Check that x_px is the column and y_px "
        "the row, in pixels of the panorama as it is imported, from 0 at its upper left, and that "
        "each label names its panorama. If the positions are right, the detection leaves out what "
        "was labelled: change its limits, or leave out labels of what shall not be counted."
    )
