"""What a job needs: memory and time by its size, with the margin that is asked of a cluster.

A cluster kills a job that passes its limits, and a high limit waits long in the queue. Margins are
wide enough for slower machines and other steel, and a job that is killed all the same gets more at
its next attempt.
"""

import math
from dataclasses import dataclass

from damascene.jobs.unit_costs import UnitCost

#: Memory asked for over the memory measured.
MEMORY_MARGIN = 1.5
#: The workflow engine beside the job's own Python, within the same allocation.
ENGINE_MB = 300
#: Memory is asked for in steps, so that rules of one kind ask for the same.
MEMORY_STEP_MB = 250
#: Time asked for over the time measured on two cores.
TIME_MARGIN = 4
#: Least time asked for: the start of a job on a busy file system takes minutes.
LEAST_MINUTES = 10
TIME_STEP_MINUTES = 5


@dataclass(frozen=True, kw_only=True)
class Size:
    """Size of a job: megapixels of its panoramas, and candidates or labels."""

    megapixels: float = 0.0
    sites: float = 0.0


def cpu_seconds(cost: UnitCost, size: Size) -> float:
    """Return the time that a job keeps cores busy."""
    return _grown(cost.cpu_seconds, cost.cpu_seconds_per_mpx, cost.cpu_seconds_per_1000, size)


def seconds(cost: UnitCost, size: Size) -> float:
    """Return the time that a job takes on two cores of its own."""
    return cpu_seconds(cost, size) / cost.cores


def megabytes(cost: UnitCost, size: Size) -> float:
    """Return the memory that a job takes."""
    return _grown(cost.mb, cost.mb_per_mpx, cost.mb_per_1000, size)


def stored_megabytes(cost: UnitCost, size: Size) -> float:
    """Return the size of what a job leaves on disk."""
    return _grown(cost.stored_mb, cost.stored_mb_per_mpx, cost.stored_mb_per_1000, size)


def _grown(fixed, per_mpx, per_1000, size):
    return fixed + per_mpx * size.megapixels + per_1000 * size.sites / 1000


def memory_limit_mb(needed_mb: float, *, attempt: int = 1) -> int:
    """Return the memory to ask for where a job takes this much; more at each further attempt."""
    asked = MEMORY_MARGIN * needed_mb + ENGINE_MB
    return attempt * MEMORY_STEP_MB * math.ceil(asked / MEMORY_STEP_MB)


def time_limit_minutes(needed_s: float, *, attempt: int = 1) -> int:
    """Return the minutes to ask for where a job takes this long; more at each further attempt."""
    asked = max(TIME_MARGIN * needed_s / 60, LEAST_MINUTES)
    return attempt * TIME_STEP_MINUTES * math.ceil(asked / TIME_STEP_MINUTES)
