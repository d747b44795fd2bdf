"""How many answers, answered sites and labelled sites there are, in the words of all pages."""

from dataclasses import dataclass

import pandas as pd

from damascene.contracts.labels import UNCLEAR
from damascene.labels.orphans import SIMULATION
from damascene.labels.votes import counting

_KEY = ["panorama", "site_id"]


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """What there is of labels.

    Attributes
    ----------
    answers, simulated : int
        What was said, and how much of it by the truth of a simulation.
    answered : int
        Sites on which somebody said something.
    labelled, candidates : int
        Sites that have a label by the votes, and those of them that are candidates, which count
        with it; others are places where the detection finds nothing.
    contradicting, unclear : int
        Answered sites without a label, as no class has most votes, or as nobody could tell.
    """

    answers: int
    simulated: int
    answered: int
    labelled: int
    candidates: int
    contradicting: int
    unclear: int

    def line(self, *, only_correct: bool = False) -> str:
        """Return the sentences of all pages.

        Parameters
        ----------
        only_correct : bool, optional
            Whether nothing is trained on the labels or tested with them.
        """
        how_many = "all" if self.simulated == self.answers else f"{self.simulated} of them"
        of_truth = f", {how_many} by the simulation" if self.simulated else ""
        counted = {
            self.labelled: "all of them are candidates and count with their label",
            1: "1 of them is a candidate and counts with its label",
        }.get(
            self.candidates,
            f"{self.candidates} of them are candidates and count with their label",
        )
        use = "not used to train or test yet" if only_correct else "used to train and test"
        said = (
            f"Labels: {number_of(self.answers, 'answer')}{of_truth}, on "
            f"{number_of(self.answered, 'site')}. {number_of(self.labelled, 'labelled site')}, "
            f"{use}; {counted}."
        )
        reasons = (
            (self.contradicting, "people contradict each other and nobody has decided"),
            (self.unclear, f"all last answers are '{UNCLEAR}'"),
        )
        told = [f"on {count} {reason}" for count, reason in reasons if count]
        return f"{said} Answered sites without a label: {'; '.join(told)}." if told else said


def label_counts(answers: pd.DataFrame, labels: pd.DataFrame) -> LabelCounts:
    """Count what there is of labels.

    Parameters
    ----------
    answers, labels : pandas.DataFrame
        `ANSWERS` and `LABELLED_SITES`.
    """
    # An answer that its person took back is no vote.
    last = counting(answers)
    answered = len(last.drop_duplicates(_KEY))
    voted = len(last[last["answer"] != UNCLEAR].drop_duplicates(_KEY))
    return LabelCounts(
        answers=len(answers),
        simulated=int((answers["file"] == SIMULATION).sum()),
        answered=answered,
        labelled=len(labels),
        candidates=int((labels["site_id"] >= 0).sum()),
        contradicting=voted - len(labels),
        unclear=answered - voted,
    )


def number_of(count: int, word: str) -> str:
    """Return a number with its word, which has an s where it is not one."""
    return f"{count} {word}{'s' * (count != 1)}"
