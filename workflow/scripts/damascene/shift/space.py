"""How far sites are from training sites, in what frozen convolutions see of them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from damascene import InputError
from damascene.files import written_whole

#: Directions in which training sites vary, that another site may vary in, too.
AXES = 24
#: Fewer training sites, or a single group of them, give no yardstick.
LEAST_SITES, LEAST_GROUPS = 12, 2
#: Training sites that are looked at; more tell nothing new.
MOST_TRAINING_SITES = 2000
# Parts of the groups that are left out in turn, and draws for the yardstick of a panorama.
_PARTS, _DRAWS = 8, 1000
_ARRAYS = ("centre", "scale", "axes", "within", "groups")


@dataclass(frozen=True, kw_only=True, eq=False)
class Space:
    """The directions in which the features of training sites vary.

    Attributes
    ----------
    centre, scale : numpy.ndarray, float32, shape (features,)
        Mean and standard deviation of each feature of the training sites.
    axes : numpy.ndarray, float32, shape (features, axes)
        Orthonormal directions of standardised features.
    within : numpy.ndarray, float32, shape (sites,)
        Distance of each training site where its group was left out.
    groups : numpy.ndarray, int64, shape (sites,)
        Their groups: sites of a group lie near each other.
    """

    centre: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    within: np.ndarray
    groups: np.ndarray

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Return how far sites are from the training sites, float64 (n,).

        It is the length of what the directions of the training sites leave over of the
        standardised features, per root of their number: about 1 where every feature varies as much
        as in training, but in ways that training did not show.

        Parameters
        ----------
        features : numpy.ndarray, float, shape (n, features)
        """
        standard = (np.asarray(features, np.float64) - self.centre) / self.scale
        rest = (standard**2).sum(axis=1) - ((standard @ self.axes) ** 2).sum(axis=1)
        return np.sqrt(np.maximum(rest, 0) / max(standard.shape[1], 1))

    def yardstick(self, count: int, *, quantile: float = 0.99) -> float:
        """Return the median distance that few panoramas like the training set would exceed.

        So many sites of a group that was left out are drawn again and again, with replacement,
        and the median of their distances is taken: with few sites it varies more.

        Parameters
        ----------
        count : int
            Sites of the panorama that is compared, from 1.
        quantile : float, optional
            Of these medians.
        """
        # The same draws for every panorama: a yardstick is no random choice of a study.
        rng = np.random.default_rng(0)
        members = [self.within[self.groups == group] for group in np.unique(self.groups)]
        # Groups count by their sites: one of a single site is no panorama.
        sizes = np.array([len(each) for each in members], float)
        chosen = rng.choice(len(members), size=_DRAWS, p=sizes / sizes.sum())
        medians = [np.median(rng.choice(members[one], size=count)) for one in chosen]
        return float(np.quantile(medians, quantile))

    def write(self, path: str | Path) -> None:
        """Write it as `.npz`, in half precision, which is far finer than what a site tells."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        stored = {
            name: each if name == "groups" else _in_half(each) for name, each in arrays.items()
        }
        with written_whole(path) as (part,), part.open("wb") as file:
            np.savez_compressed(file, **stored)

    @classmethod
    def read(cls, path: str | Path) -> "Space":
        """Read what `write` wrote.

        Raises
        ------
        InputError
            If the file is missing or damaged.
        """
        try:
            with np.load(path) as stored:
                arrays = {name: stored[name] for name in _ARRAYS}
        # A damaged archive raises what its reader finds first.
        except Exception as error:
            raise InputError(
                f"{path} cannot be read as the features of training sites: {error}. Copy it from "
                "the folder of the networks again, or delete it together with condition.json: then "
                "domain shift is not tested, and the results say so."
            ) from error
        groups = arrays.pop("groups").astype(np.int64)
        return cls(
            groups=groups, **{name: each.astype(np.float32) for name, each in arrays.items()}
        )


def _in_half(values):
    """Return values in half precision, or as they are where they are too large or too small for it.

    A scale that became infinite would make every panorama alike.
    """
    size = np.abs(values[values != 0])
    limits = np.finfo(np.float16)
    fits = not size.size or (size.max() < limits.max and np.median(size) > limits.tiny)
    return values.astype(np.float16) if fits else values


_NONE = np.empty(0, np.float32)
#: What stands in a file where the training sites are too few.
EMPTY = Space(centre=_NONE, scale=_NONE, axes=_NONE, within=_NONE, groups=np.empty(0, np.int64))


def fit_space(features: np.ndarray, groups: np.ndarray) -> Space:
    """Find the directions in which training sites vary, and how far left-out groups lie from them.

    Parameters
    ----------
    features : numpy.ndarray, float, shape (n, features)
        Of at least `LEAST_SITES`.
    groups : numpy.ndarray, shape (n,)
        Of at least `LEAST_GROUPS` values.

    Returns
    -------
    Space

    References
    ----------
    The residual of principal components as a sign of novelty: Tipping & Bishop, Probabilistic
    principal component analysis, J. R. Stat. Soc. B 61 (1999) 611, doi:10.1111/1467-9868.00196; in
    features of networks: Wang et al., ViM, CVPR 2022, arXiv 2203.10807.
    """
    features = np.asarray(features, np.float32)
    _, numbers = np.unique(np.asarray(groups), return_inverse=True)
    parts = numbers % min(_PARTS, numbers.max() + 1)
    within = np.empty(len(features), np.float32)
    for part in np.unique(parts):
        out = parts == part
        within[out] = _directions(features[~out], numbers[~out]).distances(features[out])
    whole = _directions(features, numbers)
    return Space(
        centre=whole.centre, scale=whole.scale, axes=whole.axes, within=within, groups=numbers
    )


def _directions(features, groups):
    centre, spread = features.mean(axis=0), features.std(axis=0)
    # A feature that hardly varied in training must not count without limit where it does.
    scale = np.maximum(spread, max(0.1 * float(np.median(spread)), 1e-6))
    standard = (features - centre) / scale
    _, values, directions = np.linalg.svd(standard, full_matrices=False)
    # With few sites, directions beyond a third of them are chance.
    kept = max(min(AXES, len(features) // 3, int((values > 1e-4 * values[0]).sum())), 1)
    return Space(centre=centre, scale=scale, axes=directions[:kept].T, within=_NONE, groups=groups)
