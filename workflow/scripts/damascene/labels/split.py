"""Split of the labelled sites into folds that share no pixel."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from damascene import InputError
from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES
from damascene.clips.windows import clip_window, window_px
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import check_table
from damascene.labels import APART, ROLES
from damascene.units import length_px

# Orders of the groups that are tried; the most even assignment is kept.
_ATTEMPTS = 50
_ADVICE = (
    "Label more sites in other places, lower split.folds, or divide the panoramas into smaller "
    "places (split.block), though wider than the windows."
)


def assign_groups(
    labelled: pd.DataFrame, *, group_by: str, block_px: Mapping[str, int] | None = None
) -> pd.DataFrame:
    """Add the group of each labelled site: sites of one group stay together.

    Parameters
    ----------
    labelled : pandas.DataFrame
        `LABELLED_SITES`.
    group_by : {"panorama", "block"}
        One group a panorama, or one group a square block of a panorama.
    block_px : mapping of panorama to int, optional
        Edge of the blocks, for `group_by="block"`.

    Returns
    -------
    pandas.DataFrame
        The table with a column `group`.
    """
    if group_by == "panorama":
        return labelled.assign(group=labelled.panorama)
    if group_by != "block":
        raise ValueError(f"group_by {group_by!r} is neither 'panorama' nor 'block'")
    edge_px = labelled.panorama.map(block_px).astype(float)
    rows = np.floor(labelled.clip_y_px / edge_px).astype(int)
    columns = np.floor(labelled.clip_x_px / edge_px).astype(int)
    group = labelled.panorama + "/" + rows.astype(str) + "/" + columns.astype(str)
    return labelled.assign(group=group)


def block_edges_px(block: str, sizes_nm: Mapping[str, float]) -> dict[str, int]:
    """Return the edge of a block of sites, such as `40 um`, in pixels of each panorama."""
    return {
        name: round(length_px(block, pixel_size_nm=size_nm)) for name, size_nm in sizes_nm.items()
    }


def assign_folds(grouped: pd.DataFrame, *, folds: int, seed: int) -> pd.DataFrame:
    """Distribute the groups over folds so that each fold has its part of every class.

    Groups are given one after the other to the fold where the class counts stay most even, those
    with many labels of rare classes first. Of several orders among like groups, drawn from the
    seed, the most even outcome is kept. Folds that hold labels of most classes have the first
    numbers: one fold may be all that tests, and the final networks are validated on the first.

    Parameters
    ----------
    grouped : pandas.DataFrame
        Output of `assign_groups`.
    folds : int
        At least 3.
    seed : int

    Returns
    -------
    pandas.DataFrame
        `SPLIT`, in the order of the rows given.

    Raises
    ------
    InputError
        As `require_enough`, and if no assignment puts a class into enough folds.
    """
    require_enough(grouped, folds=folds)
    counts = pd.crosstab(grouped.group, grouped.label).reindex(columns=list(SITE_CLASSES))
    counts = counts.sort_index()
    # A label counts by the part it is of its class, so that rare classes weigh as much.
    weights = (counts / counts.sum()).to_numpy()
    rng = np.random.default_rng(seed)
    attempts = [_greedy_folds(weights, folds=folds, rng=rng) for _ in range(_ATTEMPTS)]
    chosen = min(attempts, key=lambda fold: _unevenness(weights, fold, folds=folds))
    _check_folds(counts, chosen)
    chosen = _fullest_first(counts, chosen, folds=folds)
    fold = grouped.group.map(dict(zip(counts.index, chosen, strict=True)))
    return check_table(grouped.assign(fold=fold), SPLIT, source="split of the labels")


def require_enough(grouped: pd.DataFrame, *, folds: int) -> None:
    """Refuse labels that are too few, or lie too close together, to be split.

    Parameters
    ----------
    grouped : pandas.DataFrame
        Output of `assign_groups`.
    folds : int

    Raises
    ------
    InputError
        If the groups are fewer than the folds, or a class has labels in fewer groups than there
        are roles.
    """
    group_count = grouped.group.nunique()
    if len(grouped) and group_count < folds:
        raise InputError(
            f"The labelled sites lie in {_places(group_count)}, which cannot be divided into "
            f"{folds} folds. {_ADVICE}"
        )
    few = []
    for name in SITE_CLASSES:
        of_class = grouped[grouped.label == name]
        if of_class.group.nunique() < ROLES:
            few.append(f"{len(of_class)} {name} in {_places(of_class.group.nunique())}")
    if few:
        raise InputError(
            f"Too few labelled sites: {', '.join(few)}. Training, validation and test need at "
            f"least {ROLES} of each class, in {ROLES} places. {_ADVICE}"
        )


def _places(number):
    """Name a number of groups as a person does who reads of them for the first time."""
    return "1 place" if number == 1 else f"{number} places"


def _greedy_folds(weights, *, folds, rng):
    """Give groups to folds, the heaviest first, and always to the fold that needs them most."""
    # A little noise on the weights changes the order among like groups only.
    order = np.argsort(-weights.max(axis=1) * rng.uniform(0.8, 1.25, len(weights)))
    totals = np.zeros((folds, weights.shape[1]))
    fold = np.empty(len(weights), np.intp)
    for group in order:
        # The sum of squares grows least where the classes of the group are missing most.
        growth = ((totals + weights[group]) ** 2 - totals**2).sum(axis=1)
        fold[group] = np.argmin(growth)
        totals[fold[group]] += weights[group]
    return fold


def _unevenness(weights, fold, *, folds):
    totals = np.zeros((folds, weights.shape[1]))
    np.add.at(totals, fold, weights)
    return (totals**2).sum()


def _check_folds(counts, fold):
    for name in counts.columns:
        reached = len(np.unique(fold[counts[name].to_numpy() > 0]))
        if reached < ROLES:
            raise InputError(
                f"The {counts[name].sum()} labelled sites of class {name} fall into {reached} "
                f"of {ROLES} folds that are needed: their places hold too many of other classes. "
                f"{_ADVICE}"
            )


def _fullest_first(counts, fold, *, folds):
    """Return the folds under other numbers: those that hold labels of most classes come first."""
    held = [(counts[fold == one] > 0).any().sum() for one in range(folds)]
    order = np.argsort(-np.array(held), kind="stable")
    return np.argsort(order)[fold]


def fold_roles(
    split: pd.DataFrame,
    *,
    test_fold: int | None,
    validation_fold: int,
    window_px: Mapping[str, int],
    shapes: Mapping[str, tuple[int, int]],
) -> np.ndarray:
    """Say what each labelled site is used for when certain folds are held out.

    Neighbouring groups touch, so windows of sites in different folds may overlap. Validation sites
    whose window shares a pixel with the window of a test site are excluded, and training sites
    whose window shares one with that of a test or validation site.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    test_fold : int or None
        Fold held out for testing, if any.
    validation_fold : int
        Fold on which training decides when to stop.
    window_px : mapping of panorama to int
        Edge of the windows; that of the larger ones where two networks share the roles.
    shapes : mapping of panorama to (rows, columns)
        Windows are shifted inside at the borders of the panorama.

    Returns
    -------
    numpy.ndarray of str
        `train`, `validation`, `test` or `excluded` for each row.
    """
    roles = np.full(len(split), "train", dtype=object)
    roles[split.fold == validation_fold] = "validation"
    if test_fold is not None:
        roles[split.fold == test_fold] = "test"
    panoramas = split.panorama.to_numpy()
    for panorama in np.unique(panoramas):
        rows = np.flatnonzero(panoramas == panorama)
        corners = _window_corners(
            split.iloc[rows], window_px=window_px[panorama], shape=shapes[panorama]
        )
        for role, held_out in (("validation", ["test"]), ("train", ["test", "validation"])):
            of_role = roles[rows] == role
            others = np.isin(roles[rows], held_out)
            apart = np.abs(corners[of_role, None] - corners[None, others]).max(axis=-1)
            overlaps = (apart < window_px[panorama]).any(axis=1)
            roles[rows[of_role][overlaps]] = "excluded"
    return roles


def fold_roles_in(
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    test_fold: int | None,
    folds: int,
    windows: Sequence[str],
) -> np.ndarray:
    """Return `fold_roles` for windows in physical units; the fold after the test fold validates.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    records : sequence of PanoramaRecord
        Of all panoramas; or `Extent`, which suffices.
    test_fold : int or None
        Without one, fold 0 validates.
    folds : int
    windows : sequence of str
        All windows from which something is learned, such as `5 um`; the widest decides.

    Returns
    -------
    numpy.ndarray of str, shape (sites,)
        See `fold_roles`.
    """
    return fold_roles(
        split,
        test_fold=test_fold,
        validation_fold=0 if test_fold is None else (test_fold + 1) % folds,
        **windows_in(records, windows),
    )


def require_roles(
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    test_folds: Iterable[int],
    folds: int,
    windows: Sequence[str],
) -> None:
    """Refuse a split that leaves a training nothing of a class to learn from, or to validate on.

    Parameters
    ----------
    split, records, folds, windows
        See `fold_roles_in`.
    test_folds : iterable of int
        Folds that are held out in a training of their own.

    Raises
    ------
    InputError
        Naming the class: windows of all its sites overlap those of test or validation sites.
    """
    for test_fold in (None, *test_folds):
        roles = fold_roles_in(split, records, test_fold=test_fold, folds=folds, windows=windows)
        of_class = pd.crosstab(split["label"], roles).reindex(
            index=list(SITE_CLASSES), columns=["train", "validation"], fill_value=0
        )
        gone = list(of_class.index[of_class["train"] == 0])
        told = f"of class {' and '.join(gone)} to learn from"
        if not gone and not of_class.loc[list(DAMAGE_CLASSES), "validation"].sum():
            gone, told = ["damage"], "of damage to validate on"
        if gone:
            held_out = "" if test_fold is None else f" when fold {test_fold} is the test"
            raise InputError(
                f"The split leaves no site {told}{held_out}: the windows of all of them share "
                f"pixels with those of sites in the folds that are held out. {APART}"
            )


def roles_by_fold(
    split: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    test_folds: Iterable[int],
    folds: int,
    windows: Sequence[str],
) -> dict[int, np.ndarray]:
    """Return `fold_roles_in` for each test fold."""
    return {
        fold: fold_roles_in(split, records, test_fold=fold, folds=folds, windows=windows)
        for fold in test_folds
    }


def apart_from_held_out(
    places: pd.DataFrame,
    split: pd.DataFrame,
    roles: Sequence[str],
    records: Sequence[PanoramaRecord],
    *,
    windows: Sequence[str],
) -> np.ndarray:
    """Say which places without a label may train beside the training sites.

    None may lie in the group of a test or validation site, or have a window that shares a pixel
    with the window of one of those or of an excluded site.

    Parameters
    ----------
    places : pandas.DataFrame
        `UNLABELLED`.
    split : pandas.DataFrame
        `SPLIT`.
    roles : sequence of str, length sites
        From `fold_roles_in`.
    records, windows
        As given to `fold_roles_in`.

    Returns
    -------
    numpy.ndarray, bool, shape (places,)
    """
    held_out = split[np.isin(roles, ["test", "validation"])]
    apart = ~places["group"].isin(held_out["group"]).to_numpy()
    not_learned = split[np.asarray(roles) != "train"]
    extents = windows_in(records, windows)
    panoramas = places["panorama"].to_numpy()
    for name, sites in not_learned.groupby("panorama"):
        rows = np.flatnonzero(panoramas == name)
        size = {"window_px": extents["window_px"][name], "shape": extents["shapes"][name]}
        corners = KDTree(_window_corners(sites, **size))
        # Squares of one edge share a pixel if both their corners are closer than that.
        distances, _ = corners.query(_window_corners(places.iloc[rows], **size), p=np.inf)
        apart[rows[distances < size["window_px"]]] = False
    return apart


def windows_in(records: Sequence[PanoramaRecord], windows: Sequence[str]) -> dict[str, dict]:
    """Return the edge of the widest window in pixels, and the shape, of each panorama.

    They are the options `window_px` and `shapes` of `fold_roles`.
    """
    return {
        "window_px": {
            one.panorama: max(
                window_px(window, pixel_size_nm=one.pixel_size_nm) for window in windows
            )
            for one in records
        },
        "shapes": {one.panorama: (one.height_px, one.width_px) for one in records},
    }


def _window_corners(sites, *, window_px, shape):
    windows = [
        clip_window(x, y, window_px=window_px, shape=shape)
        for x, y in zip(sites.clip_x_px, sites.clip_y_px, strict=True)
    ]
    return np.array([(window.top, window.left) for window in windows]).reshape(-1, 2)
