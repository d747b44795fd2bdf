"""A world of a few fields in which an agent learns by reward: Q-learning on a table.

References
----------
Watkins & Dayan, Q-learning, Machine Learning 8 (1992) 279-292, 10.1007/BF00992698.
Sutton & Barto, Reinforcement Learning: An Introduction, 2nd edition (2018), chapters 3, 4 and 6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

#: Rows and columns that each action moves, and how it is drawn.
MOVES = {"up": (-1, 0), "right": (0, 1), "down": (1, 0), "left": (0, -1)}
WALL, START = "#", "S"


@dataclass(frozen=True, kw_only=True)
class GridWorld:
    """Fields on which an agent moves, one step up, right, down or left at a time.

    Attributes
    ----------
    rows : tuple of str
        One letter a field: `#` wall, `S` start, a digit a prize of that worth, where an episode
        ends; anything else is free.
    """

    rows: tuple[str, ...]

    def __post_init__(self):  # noqa: D105
        if len({len(row) for row in self.rows}) != 1:
            raise ValueError("All rows of a grid world have the same length.")
        if "".join(self.rows).count(START) != 1:
            raise ValueError("A grid world has one start, S.")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.rows[0])

    @property
    def start(self) -> int:
        """Number of the field on which each episode begins; fields are numbered row by row."""
        return "".join(self.rows).index(START)

    @property
    def prizes(self) -> np.ndarray:
        """Worth of each field, float64 (fields,); 0 where there is none."""
        return np.array([int(each) if each.isdigit() else 0 for each in "".join(self.rows)], float)

    @property
    def walls(self) -> np.ndarray:
        """Whether a field is a wall, bool (fields,)."""
        return np.array([each == WALL for each in "".join(self.rows)])

    def neighbours(self) -> np.ndarray:
        """Return the field that each action leads to, int64 (fields, 4).

        Into a wall or over the edge nothing moves.
        """
        rows, columns = self.shape
        field = np.arange(rows * columns)
        row, column = np.divmod(field, columns)
        reached = []
        for down, right in MOVES.values():
            to_row, to_column = row + down, column + right
            inside = (to_row >= 0) & (to_row < rows) & (to_column >= 0) & (to_column < columns)
            to_field = np.where(inside, to_row * columns + to_column, field)
            reached.append(np.where(self.walls[to_field], field, to_field))
        return np.stack(reached, axis=1)


def best_values(world: GridWorld, *, discount: float) -> np.ndarray:
    """Return what the best agent earns from each field on, by value iteration.

    Parameters
    ----------
    world : GridWorld
    discount : float
        What a prize is worth one step later, as a part; below 1.

    Returns
    -------
    numpy.ndarray, float64, shape (fields,)
        0 for walls and prizes: nothing is earned after the end.
    """
    reached, prizes = world.neighbours(), world.prizes
    ends = (prizes > 0) | world.walls
    values = np.zeros(len(prizes))
    # After as many rounds as there are fields, every path without a loop has been walked.
    for _ in range(len(prizes)):
        after = prizes[reached] + discount * values[reached]
        values = np.where(ends, 0.0, after.max(axis=1))
    return values


@dataclass(frozen=True, kw_only=True, eq=False)
class Learned:
    """What an agent has learned.

    Attributes
    ----------
    q : numpy.ndarray, float64, shape (fields, 4)
        Expected discounted reward of each action on each field.
    returns : numpy.ndarray, float64, shape (episodes,)
        Discounted reward of each episode; 0 where no prize was reached.
    visits : numpy.ndarray, int64, shape (fields,)
        How often each field was left.
    """

    q: np.ndarray
    returns: np.ndarray
    visits: np.ndarray


def learn_by_reward(
    world: GridWorld,
    *,
    epsilon: float,
    episodes: int,
    seed: int,
    discount: float = 0.9,
    step_size: float = 0.5,
    most_steps: int = 60,
) -> Learned:
    """Let one agent learn by Q-learning.

    Parameters
    ----------
    world : GridWorld
    epsilon : float
        Probability with which an action is drawn at random (exploration); else the best known one
        is taken, or one of them by chance (exploitation).
    episodes : int
    seed : int
    discount : float, optional
        What a prize is worth one step later, as a part.
    step_size : float, optional
        Part of the way that an estimate moves towards what was just met.
    most_steps : int, optional
        Steps after which an episode ends without a prize.

    Returns
    -------
    Learned
    """
    rng = np.random.default_rng(seed)
    # Plain lists: a step in them is ten times as quick as one in arrays.
    reached, prizes = world.neighbours().tolist(), world.prizes.tolist()
    q = [[0.0] * len(MOVES) for _ in prizes]
    returns, visits = np.zeros(episodes), np.zeros(len(prizes), np.int64)
    for episode in range(episodes):
        field = world.start
        explores = (rng.random(most_steps) < epsilon).tolist()
        # One random number a step: an action, or the choice among equally good ones.
        chances = rng.random(most_steps).tolist()
        for step in range(most_steps):
            known = q[field]
            best = max(known)
            choices = [a for a, worth in enumerate(known) if explores[step] or worth == best]
            action = choices[int(chances[step] * len(choices))]
            visits[field] += 1
            after = reached[field][action]
            reward = prizes[after]
            ahead = 0.0 if reward else discount * max(q[after])
            known[action] += step_size * (reward + ahead - known[action])
            field = after
            if reward:
                returns[episode] = discount**step * reward
                break
    return Learned(q=np.array(q), returns=returns, visits=visits)


def learn_many(
    world: GridWorld, *, epsilon: float, agents: int, episodes: int, seed: int
) -> list[Learned]:
    """Let many agents learn, each with its own chance: seeds `seed`, `seed + 1`, ..."""
    return [
        learn_by_reward(world, epsilon=epsilon, episodes=episodes, seed=seed + agent)
        for agent in range(agents)
    ]


def compare_epsilons(
    world: GridWorld, learned: Mapping[float, Sequence[Learned]], *, discount: float = 0.9
) -> pd.DataFrame:
    """Tell what agents earned while they learned, and what they know in the end.

    Parameters
    ----------
    world : GridWorld
    learned : mapping of epsilon to sequence of Learned
    discount : float, optional
        That with which they learned.

    Returns
    -------
    pandas.DataFrame
        epsilon; earned_first and earned_last, the mean return of the first and the last tenth of
        the episodes; knows_best, the part of the agents whose greedy path earns the most possible.
    """
    most = best_values(world, discount=discount)[world.start]
    rows = []
    for epsilon, agents in learned.items():
        returns = np.array([each.returns for each in agents])
        tenth = max(returns.shape[1] // 10, 1)
        worth = [path_worth(world, greedy_path(world, a.q), discount=discount) for a in agents]
        rows.append(
            {
                "epsilon": epsilon,
                "earned_first": returns[:, :tenth].mean(),
                "earned_last": returns[:, -tenth:].mean(),
                "knows_best": float(np.mean(np.isclose(worth, most))),
            }
        )
    return pd.DataFrame(rows)


def path_worth(world: GridWorld, path: Sequence[int], *, discount: float) -> float:
    """Return the discounted reward of walking along fields."""
    steps = len(path) - 1
    return float(world.prizes[path[-1]] * discount ** max(steps - 1, 0))


def greedy_path(world: GridWorld, q: np.ndarray) -> list[int]:
    """Return the fields that an agent walks over which only exploits what it knows.

    Parameters
    ----------
    world : GridWorld
    q : numpy.ndarray, float64, shape (fields, 4)

    Returns
    -------
    list of int
        From the start to a prize, or up to the field that is met a second time.
    """
    reached, prizes = world.neighbours(), world.prizes
    path = [world.start]
    while not prizes[path[-1]]:
        path.append(int(reached[path[-1], q[path[-1]].argmax()]))
        if path[-1] in path[:-1]:
            break
    return path
