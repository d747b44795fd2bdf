"""What a fault did, how it was noticed, and whether anything was lost."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.study import Ended, copied, differences, half_written, run

#: The last lines of what a failed run said, for the table.
_SHOWN = 200


class SkippedFault(Exception):
    """The machine does not allow the fault; the message says why."""


@dataclass(kw_only=True)
class Outcome:
    """One row of the table."""

    fault: str
    done: str
    noticed: str = ""
    finished: bool = False
    different: list[str] = field(default_factory=list)
    half_written: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    skipped: str = ""
    seconds: float = 0.0

    @property
    def survived(self) -> bool:
        """Whether it was noticed as it should, nothing is lost, and the rerun finished."""
        sound = self.finished and not (self.different or self.half_written or self.problems)
        return bool(self.skipped) or sound


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The study after an undisturbed run, what it made, and a folder for copies to be broken."""

    study: Path
    sound: dict[str, str]
    scratch: Path

    def copy(self, name: str) -> Path:
        """Return a copy of the finished study."""
        return copied(self.study, self.copy_path(name))

    def copy_path(self, name: str) -> Path:
        """Return where the copy for a fault lies."""
        return self.scratch / re.sub(r"\W+", "_", name)

    def look_for_halves(self, folder: Path, outcome: Outcome) -> None:
        """Note the products that are cut off and would be taken for whole."""
        outcome.half_written += half_written(folder, self.sound)

    def recover(self, folder: Path, outcome: Outcome, *targets: str) -> Ended:
        """Run again as a user would, and compare all products with the undisturbed ones."""
        self.look_for_halves(folder, outcome)
        ended = run(folder, *targets)
        outcome.finished = ended.code == 0
        if not outcome.finished:
            outcome.problems.append(f"the rerun failed: {ended.said[-1500:]}")
        outcome.different = differences(folder, self.sound)
        return ended


def expect(outcome: Outcome, ended: Ended, *words: str) -> None:
    """Note whether a run failed, and said words that tell the user what is wrong."""
    if ended.code in (0, None):
        outcome.problems.append(f"the run ended with {ended.code}: {ended.said[-1500:]}")
    missing = [word for word in words if word not in ended.said]
    if missing:
        outcome.problems.append(f"not said: {missing}; said: {ended.said[-3000:]}")
    if words and not missing:
        outcome.noticed = line_with(ended.said, words[0])


def line_with(said: str, word: str) -> str:
    """Return the line of a message in which a word stands, cut to a readable length."""
    line = next((line.strip() for line in said.splitlines() if word in line), "")
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]} ..."


@contextmanager
def timed(outcome: Outcome) -> Iterator[None]:
    """Measure how long a fault took."""
    started = time.monotonic()
    try:
        yield
    finally:
        outcome.seconds = time.monotonic() - started


Fault = Callable[[Bench, Outcome], None]
