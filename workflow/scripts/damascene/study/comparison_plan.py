"""What follows from a configuration and its sample sheet for the comparison of denoisers."""

from dataclasses import dataclass

from damascene.classes import STAGES
from damascene.config.denoising import LEARNED
from damascene.config.study import Study
from damascene.study.denoising_plan import TRAINED_METHODS
from damascene.study.models import SHIPPED_DENOISER, SIMULATED_SITES, model_folder

# Denoisers are compared on no more panoramas.
_MOST_COMPARED = 12
_ENDS = ("keras", "json")


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonPlan:
    """On what denoisers are compared.

    Attributes
    ----------
    study, panoramas, classifies
        As of `plan.Plan`.
    known : frozenset of str
        Panoramas of which is known what is there: simulated ones, and those read from files that
        have a second scan.
    """

    study: Study
    panoramas: tuple[str, ...]
    known: frozenset[str]
    classifies: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Panoramas on which denoisers are compared: evenly spread, if there are many.

        All can be among them if noise is added.
        """
        added = self.study.compare_denoising.added_noise != "none"
        names = [name for name in self.panoramas if added or name in self.known]
        count = min(len(names), _MOST_COMPARED)
        step = (len(names) - 1) / max(count - 1, 1)
        return tuple(names[round(step * number)] for number in range(count))

    @property
    def methods(self) -> list[str]:
        """Names of the methods: none first, then those named, then the study's own.

        Its own is left out where it learned from other noise than what is added.
        """
        own, comparison = self.study.denoise.method, self.study.compare_denoising
        other_noise = comparison.added_noise != "none" and own in TRAINED_METHODS
        names = ["none", *comparison.methods, *([] if other_noise else [own])]
        return list(dict.fromkeys(names))

    @property
    def given_networks(self) -> list[str]:
        """Network and card of the methods that need no training."""
        ready_made = any(name in LEARNED and name not in TRAINED_METHODS for name in self.methods)
        return [str(SHIPPED_DENOISER.with_suffix(f".{end}")) for end in _ENDS if ready_made]

    @property
    def models(self) -> str:
        """Folder of the networks whose answers are compared after denoising.

        Those that the study names, else the shipped ones; empty in a study without classes.
        """
        if not self.classifies:
            return ""
        return str(model_folder(self.study) or SIMULATED_SITES.parent)

    @property
    def model_files(self) -> list[str]:
        """Those networks and their cards."""
        return [f"{self.models}/{stage}.{end}" for stage in STAGES for end in _ENDS if self.models]
