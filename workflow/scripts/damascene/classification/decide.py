"""From the outputs of the two networks to one class a site."""

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES, INCLUSION, NOT_CLASSIFIED


def decide_classes(
    p_inclusion: np.ndarray,
    p_damage: np.ndarray,
    *,
    inclusion_threshold: float,
    damage_threshold: float,
) -> np.ndarray:
    """Give each site its class.

    A site is an inclusion if the first network says so with more than the threshold. Otherwise it
    has the most probable damage class, provided that its probability is above the second
    threshold; the first of equal ones counts. Thresholds are never reached by equality.

    Parameters
    ----------
    p_inclusion : numpy.ndarray, float, shape (n,)
    p_damage : numpy.ndarray, float, shape (n, 4)
        Columns in the order of `DAMAGE_CLASSES`.
    inclusion_threshold, damage_threshold : float

    Returns
    -------
    numpy.ndarray of str, shape (n,)
        Classes of `SITE_LABELS`.
    """
    p_inclusion = np.asarray(p_inclusion, float)
    p_damage = np.asarray(p_damage, float).reshape(-1, len(DAMAGE_CLASSES))
    damage = np.array(DAMAGE_CLASSES, dtype=object)[p_damage.argmax(axis=1)]
    labels = np.where(p_damage.max(axis=1) > damage_threshold, damage, NOT_CLASSIFIED)
    return np.where(p_inclusion > inclusion_threshold, INCLUSION, labels)


def with_classes(
    sites: pd.DataFrame,
    p_inclusion: np.ndarray,
    p_damage: np.ndarray,
    *,
    inclusion_threshold: float,
    damage_threshold: float,
) -> pd.DataFrame:
    """Return sites with the probabilities of both networks and `predicted_class`.

    Parameters as for `decide_classes`; `sites` has a row for each of theirs.
    """
    return sites.assign(
        p_inclusion=p_inclusion,
        **{f"p_{name}": p_damage[:, index] for index, name in enumerate(DAMAGE_CLASSES)},
        predicted_class=decide_classes(
            p_inclusion,
            p_damage,
            inclusion_threshold=inclusion_threshold,
            damage_threshold=damage_threshold,
        ),
    )
