"""What holds for all tests."""

import os

import pytest

from tests.studies import Study

# No test but that of SLURM, which names its own, has anything to do with a cluster. Where the
# commands of SLURM are installed and no cluster answers, every start of Snakemake would wait nine
# seconds for it, as the executor plugin asks for its settings when it is imported.
os.environ["SLURM_CONF"] = os.devnull


@pytest.fixture
def study(tmp_path) -> Study:
    """Return an empty study."""
    return Study(tmp_path)
