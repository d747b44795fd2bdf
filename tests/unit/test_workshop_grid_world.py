"""Q-learning on a grid against values worked out on paper and by value iteration."""

import numpy as np
import pytest

from damascene.workshop.grid_world import (
    GridWorld,
    best_values,
    compare_epsilons,
    greedy_path,
    learn_by_reward,
    learn_many,
    path_worth,
)

CORRIDOR = GridWorld(rows=("1S..9",))
WORLD = GridWorld(rows=("..#.9", "1....", ".....", "..S#."))


def test_nothing_moves_into_a_wall_or_over_the_edge():
    world = GridWorld(rows=("S#", ".."))
    # Up, right, down and left from the start, the upper left field.
    assert world.neighbours()[0].tolist() == [0, 0, 2, 0]
    assert world.neighbours()[3].tolist() == [3, 3, 3, 2]


def test_values_of_a_corridor_are_those_worked_out_on_paper():
    # To the prize of 9 there are three steps from the start: 9 x 0.9 x 0.9.
    expected = [0, 7.29, 8.1, 9, 0]
    assert np.allclose(best_values(CORRIDOR, discount=0.9), expected)
    # A prize loses so much worth on its way that the small one is better.
    assert np.allclose(best_values(CORRIDOR, discount=0.1)[1], 1)


def test_the_start_of_the_world_of_the_page_is_worth_five_steps_to_the_large_prize():
    assert np.isclose(best_values(WORLD, discount=0.9)[WORLD.start], 9 * 0.9**4)


def test_one_step_of_learning_moves_the_estimate_by_the_step_size():
    world = GridWorld(rows=("S8",))
    learned = learn_by_reward(world, epsilon=0, episodes=1, seed=3, step_size=0.25)
    right = 1
    assert learned.q[0, right] == 0.25 * 8
    assert learned.q.sum() == 2
    # Steps against the walls before the prize was met make the reward smaller.
    assert np.isclose(learned.returns[0], 8 * 0.9 ** (learned.visits.sum() - 1))


def test_exploring_agents_learn_the_values_of_value_iteration():
    learned = learn_by_reward(WORLD, epsilon=1, episodes=4000, seed=1)
    ends = WORLD.prizes > 0
    expected = best_values(WORLD, discount=0.9)
    assert np.allclose(learned.q.max(axis=1)[~ends], expected[~ends], atol=1e-6)
    assert greedy_path(WORLD, learned.q)[-1] == 4


def test_random_agents_know_best_and_earn_least():
    learned = {
        epsilon: learn_many(WORLD, epsilon=epsilon, agents=20, episodes=300, seed=5)
        for epsilon in (0, 0.5, 1)
    }
    table = compare_epsilons(WORLD, learned).set_index("epsilon")
    assert table["knows_best"].is_monotonic_increasing
    assert table.loc[1, "knows_best"] == 1
    assert table["earned_last"].idxmin() == 1
    assert table["earned_last"].idxmax() == 0.5


def test_agents_of_one_seed_learn_the_same():
    once, again = (learn_by_reward(WORLD, epsilon=0.3, episodes=50, seed=8) for _ in range(2))
    assert np.array_equal(once.q, again.q)


def test_a_path_that_turns_in_a_circle_ends_and_is_worth_nothing():
    path = greedy_path(CORRIDOR, np.zeros((5, 4)))
    assert path == [1, 1]
    assert path_worth(CORRIDOR, path, discount=0.9) == 0
    assert np.isclose(path_worth(CORRIDOR, [1, 2, 3, 4], discount=0.9), 7.29)


@pytest.mark.parametrize("rows", [("S.", "."), ("..",), ("SS",)])
def test_worlds_with_ragged_rows_or_without_one_start_are_refused(rows):
    with pytest.raises(ValueError, match=r"same length|one start"):
        GridWorld(rows=rows)
