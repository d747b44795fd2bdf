"""The order in which people are asked about sites: where an answer is worth most, and at random."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES
from damascene.contracts.labels import ANSWER_SEPARATOR
from damascene.contracts.review_order import (
    BALANCE,
    CLUSTER,
    DISAGREEMENT,
    FAR,
    RANDOM,
    REVIEW_REASONS,
    SET,
)
from damascene.contracts.table import check_table

#: Of so many sites one is drawn at random, however valuable the others are.
ONE_RANDOM_IN = 4
#: What speaks for a site, in turn.
VALUED = (DISAGREEMENT, CLUSTER, SET, BALANCE, FAR)
#: Sites that the networks are surer of are no doubtful ones where no sets can be given.
_SURE = 0.9


def chances(panorama: str, site_ids: np.ndarray, *, seed: int) -> np.ndarray:
    """Return a random number for each site of a panorama, uint64 (n,), the same in every run.

    The sites of a study with the lowest numbers are a simple random sample of all, and stay one
    when some of them are labelled and the next ones are asked for.

    Parameters
    ----------
    panorama : str
    site_ids : numpy.ndarray, int, shape (n,)
    seed : int
        Derived from that of the study.

    References
    ----------
    Steele, Lea & Flood, Fast splittable pseudorandom number generators, OOPSLA 2014,
    doi:10.1145/2660193.2660195 (the mixing function of SplitMix64).
    """
    start = np.random.SeedSequence([seed, *panorama.encode()]).generate_state(1, np.uint64)
    mixed = start + (np.asarray(site_ids).astype(np.uint64) + np.uint64(1)) * np.uint64(
        0x9E3779B97F4A7C15
    )
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def order_sites(
    pool: pd.DataFrame,
    *,
    most: int,
    labels: Mapping[str, int],
    kinds: Iterable[str] = VALUED,
) -> pd.DataFrame:
    """Put sites into the order in which people should label them.

    One of four is drawn at random. The others come in turn from what speaks for a site: annotators
    contradict each other, the networks cannot tell between classes, the site is unlike what they
    learned from, its class has few labels; or, without networks, each group of look-alikes. Sites
    that have a label are left out, unless the answers contradict.

    Parameters
    ----------
    pool : pandas.DataFrame
        See `pool.read_pool`.
    most : int
        Length of the queue.
    labels : mapping of class to int
        Labels that there are; classes without any may be missing.
    kinds : iterable of str, optional
        What speaks for a site, beside chance.

    Returns
    -------
    pandas.DataFrame
        `REVIEW_REASONS`.
    """
    pool = pool.sort_values("chance", kind="stable").reset_index(drop=True)
    free = ~pool["labelled"].to_numpy()
    by_chance = np.flatnonzero(free)
    sample = by_chance[: -(-min(most, len(by_chance)) // ONE_RANDOM_IN)]
    # What the random part will hold is nobody else's: it must not depend on what is valuable.
    free[sample] = False
    queues = {
        DISAGREEMENT: _contradicting(pool),
        CLUSTER: _of_clusters(pool, free),
        SET: _doubtful(pool, free),
        BALANCE: _balanced(pool, free, labels),
        FAR: _far(pool, free),
    }
    chosen = {kind: queues[kind] for kind in kinds}
    places = list(_interleaved(iter(by_chance), chosen, most=most))
    rows = [row for row, _, _ in places]
    table = pool.loc[rows, ["panorama", "site_id"]].assign(
        rank=np.arange(1, len(places) + 1),
        drawn_by=[kind for _, kind, _ in places],
        reason=[reason for _, _, reason in places],
    )
    return check_table(table, REVIEW_REASONS, source="order of review")


def _interleaved(by_chance, queues, *, most) -> Iterator[tuple[int, str, str]]:
    """Yield rows with kind and reason: a random one, then valuable ones of each kind in turn."""
    taken, waiting = set(), [*queues.items()]
    while len(taken) < most:
        kind, found = RANDOM, None
        if len(taken) % ONE_RANDOM_IN and waiting:
            kind, queue = waiting.pop(0)
            found = next((each for each in queue if each[0] not in taken), None)
            if found is None:
                continue
            waiting.append((kind, queue))
        else:
            row = next((row for row in by_chance if row not in taken), None)
            if row is not None:
                found = (row, "drawn at random from all sites without a label")
            elif not waiting:
                return
            else:
                # Only sites whose answers contradict are left.
                for kind, queue in waiting:
                    for row, reason in queue:
                        if row not in taken and len(taken) < most:
                            taken.add(row)
                            yield row, kind, reason
                return
        taken.add(found[0])
        yield found[0], kind, found[1]


def _contradicting(pool) -> Iterator[tuple[int, str]]:
    """Yield sites on which annotators contradict each other, first those without a majority."""
    rows = pool[pool["contradiction"] != ""].sort_values(
        "undecided", ascending=False, kind="stable"
    )
    for row, said in rows["contradiction"].items():
        yield row, f"annotators contradict each other: {said.replace(ANSWER_SEPARATOR, ', ')}"


def _doubtful(pool, free) -> Iterator[tuple[int, str]]:
    """Yield sites that the networks cannot tell, those with the closest classes first."""
    probabilities = pool[[f"p_{name}" for name in SITE_CLASSES]].to_numpy(float)
    order = np.argsort(-np.nan_to_num(probabilities, nan=-1.0), axis=1, kind="stable")
    first, second = (np.take_along_axis(probabilities, order[:, [at]], 1)[:, 0] for at in (0, 1))
    sets = pool["prediction_set"].to_numpy()
    larger = np.array([ANSWER_SEPARATOR in each for each in sets], bool)
    doubtful = free & np.where(sets == "", first < _SURE, larger)
    rows = np.flatnonzero(doubtful)
    for row in rows[np.argsort((first - second)[rows], kind="stable")]:
        names = [SITE_CLASSES[at] for at in order[row, :2]]
        said = ", ".join(
            f"{name} {share:.0%}"
            for name, share in zip(names, (first[row], second[row]), strict=True)
        )
        if larger[row]:
            among = sets[row].replace(ANSWER_SEPARATOR, ", ")
            yield row, f"the networks cannot tell between {among} ({said})"
        else:
            yield row, f"the networks are not sure: {said}"


def _far(pool, free) -> Iterator[tuple[int, str]]:
    """Yield sites unlike those that the networks learned from, the most foreign first."""
    distance = pool["distance"].to_numpy(float)
    rows = np.flatnonzero(free & (distance > 1))
    for row in rows[np.argsort(-distance[rows], kind="stable")]:
        yield (
            row,
            "unlike the sites that the networks learned from: "
            f"{distance[row]:.2g} times as far from them as most of their like",
        )


def _balanced(pool, free, labels) -> Iterator[tuple[int, str]]:
    """Yield sites of the class with fewest labels in turn, the most probable ones first."""
    known = Counter({name: labels.get(name, 0) for name in SITE_CLASSES})
    queues = {}
    for name in SITE_CLASSES:
        p = pool[f"p_{name}"].to_numpy(float)
        rows = np.flatnonzero(free & (pool["predicted_class"] == name).to_numpy())
        queues[name] = iter(rows[np.argsort(-p[rows], kind="stable")])
    while queues:
        name = min(queues, key=lambda each: (known[each], SITE_CLASSES.index(each)))
        row = next(queues[name], None)
        if row is None:
            del queues[name]
            continue
        count = labels.get(name, 0)
        known[name] += 1
        yield row, f"{name} by the networks; labelled sites of it so far: {count}"


def _of_clusters(pool, free) -> Iterator[tuple[int, str]]:
    """Yield a site of each group of look-alikes in turn, the most typical ones first."""
    clusters = pool["cluster"].to_numpy(int)
    within = pool["cluster_distance"].to_numpy(float)
    queues = []
    for cluster in np.unique(clusters[clusters >= 0]):
        rows = np.flatnonzero(free & (clusters == cluster))
        queues.append((cluster, rows[np.argsort(within[rows], kind="stable")]))
    # Large groups first: an answer there tells of more sites.
    queues.sort(key=lambda each: -len(each[1]))
    for turn in range(max((len(rows) for _, rows in queues), default=0)):
        for cluster, rows in queues:
            if turn < len(rows):
                yield rows[turn], f"one of {len(rows)} look-alikes (group {cluster + 1})"


def drawn_counts(order: pd.DataFrame, kinds: Iterable[str]) -> dict[str, int]:
    """Return how many sites of a queue were drawn by each kind."""
    found = order["drawn_by"].value_counts()
    return {kind: int(found.get(kind, 0)) for kind in kinds}
