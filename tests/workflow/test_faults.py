"""Some quick faults: nothing is lost, and no half of a file is taken for a result."""

import pytest

from tests.faults.run_faults import do, make_bench

#: One panorama from its image to its candidates.
TARGETS = ("results/candidates/imported.parquet",)
QUICK = (
    "kill the run: denoising",
    "image replaced while it is read",
    "disk full: denoising",
    "clock: image ahead",
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Return the undisturbed study."""
    return make_bench(tmp_path_factory.mktemp("faults"), *TARGETS)


@pytest.mark.parametrize("name", QUICK)
def test_nothing_is_lost(bench, name):
    outcome = do(name, bench)
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.survived, outcome
