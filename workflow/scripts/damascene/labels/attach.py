"""Tie answers to the sites they mean."""

import numpy as np
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from damascene.contracts.labels import ANSWER_SEPARATOR, ANSWERS, NO_CANDIDATE
from damascene.contracts.table import check_table
from damascene.labels.kept import complete
from damascene.labels.outlines import find_again
from damascene.problems import named_rows, told_together
from damascene.text_files import alike_names


def attach_answers(
    given: pd.DataFrame, candidates: dict[str, pd.DataFrame], *, tolerance_px: dict[str, float]
) -> pd.DataFrame:
    """Give each answer the site it means: a candidate, or a place of its own.

    Answers that lie on no candidate mean one place if all of them lie within the tolerance of each
    other. Places of a panorama are numbered -1, -2, ... by row and then by column.

    Parameters
    ----------
    given : pandas.DataFrame
        `GIVEN_ANSWERS`, in the order in which they were given.
    candidates : dict of str to pandas.DataFrame
        `CANDIDATES` of every panorama.
    tolerance_px : dict of str to float
        How far outside a candidate's bounding box its answers may lie, by panorama; see also
        `find_again`.

    Returns
    -------
    pandas.DataFrame
        `ANSWERS`, in the order given.

    Raises
    ------
    InputError
        If names of annotators differ by capital letters only, and may be one person, or hold the
        mark that separates them in tables.
    """
    _check_people(given)
    answers = complete(given.reset_index(drop=True))
    site_id = np.zeros(len(answers), np.int64)
    tied_by = np.full(len(answers), NO_CANDIDATE, object)
    for name, rows in answers.groupby("panorama").indices.items():
        of_panorama = answers.loc[rows]
        found, tied_by[rows] = find_again(
            of_panorama, candidates[name], tolerance_px=tolerance_px[name]
        )
        off = found < 0
        points = of_panorama.loc[off, ["x_px", "y_px"]].to_numpy(float)
        found[off] = -1 - places(points, tolerance_px=tolerance_px[name])
        site_id[rows] = found
    answers = answers.assign(order=np.arange(len(answers)), site_id=site_id, tied_by=tied_by)
    # One person has one vote on a site, and the last word is theirs.
    answers["counts"] = ~answers.duplicated(["panorama", "site_id", "annotator"], keep="last")
    return check_table(answers, ANSWERS, source="answers")


def _check_people(given):
    with told_together() as problems:
        for name, file, row in given[["annotator", "file", "row"]].itertuples(index=False):
            if ANSWER_SEPARATOR in name:
                problems.add(
                    f"{file}, row {row}: annotator '{name}' has a '{ANSWER_SEPARATOR}', which "
                    "separates annotators in tables. One row is the answer of one person."
                )
        for name, before in alike_names(given["annotator"].unique()).items():
            rows = given[given["annotator"] == name]
            file = rows["file"].iloc[0]
            where = named_rows(sorted(rows["row"][rows["file"] == file].unique()))
            first = given[given["annotator"] == before].iloc[0]
            problems.add(
                f"{file}, {where}: annotator '{name}' and '{before}' ({first['file']}, row "
                f"{first['row']}) differ by capital letters only. Of one person only the last "
                "answer on a site counts: write one person in one way, two with more of their "
                "names."
            )


def places(points_xy: np.ndarray, *, tolerance_px: float) -> np.ndarray:
    """Gather points that mean one place: no two of a place are further apart than the tolerance.

    By complete linkage, so that a chain of near points is not taken for one place. The order of
    the points does not matter.

    Parameters
    ----------
    points_xy : numpy.ndarray, float, shape (points, 2)
    tolerance_px : float

    Returns
    -------
    numpy.ndarray, int64, shape (points,)
        Number of the place of each point, from 0, by the row and then the column of their means.
    """
    if not len(points_xy):
        return np.zeros(0, np.int64)
    # Ties of distances are broken by the order of the points, which is therefore made one.
    unique, member = np.unique(points_xy[:, ::-1], axis=0, return_inverse=True)
    group = _complete_linkage(unique, tolerance_px)[member.ravel()]
    means = pd.DataFrame(points_xy, columns=["x", "y"]).groupby(group).mean()
    rank = means.sort_values(["y", "x"]).reset_index(names="group").reset_index()
    return rank.set_index("group")["index"].loc[group].to_numpy(np.int64)


def _complete_linkage(points, tolerance):
    """Return the group of each point; only points that are linked at all are compared."""
    pairs = KDTree(points).query_pairs(tolerance, output_type="ndarray")
    graph = coo_array((np.ones(len(pairs), bool), pairs.T), shape=(len(points),) * 2)
    _, component = connected_components(graph, directed=False)
    group = np.zeros(len(points), np.int64)
    next_group = 0
    for rows in np.split(np.argsort(component, kind="stable"), np.cumsum(np.bincount(component))):
        if len(rows) > 1:
            tree = linkage(points[rows], method="complete")
            group[rows] = fcluster(tree, tolerance, criterion="distance") - 1
        group[rows] += next_group
        next_group += len(rows)
    return group
