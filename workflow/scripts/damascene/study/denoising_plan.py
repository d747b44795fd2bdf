"""What follows from a configuration and its sample sheet for denoising by networks."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from damascene import InputError
from damascene.config.denoising import CLASSICAL, LEARNED
from damascene.config.study import Study
from damascene.study.models import SHIPPED_DENOISER, TRAINED, check_shipped

#: The noise condition of panoramas whose cell is empty.
ALIKE = "all"
#: The method whose network comes with the workflow, and those whose networks a study trains.
READY_MADE = "simulated"
TRAINED_METHODS = tuple(method for method in LEARNED if method != READY_MADE)


@dataclass(frozen=True, kw_only=True, eq=False)
class DenoisingPlan:
    """Facts about denoising that rules are made from; attributes as of `plan.Plan`."""

    study: Study
    sheet: pd.DataFrame
    panoramas: tuple[str, ...]

    @property
    def filtered(self) -> tuple[str, ...]:
        """Panoramas that are denoised by a filter."""
        return self.panoramas if self.study.denoise.method in CLASSICAL else ()

    @property
    def learned(self) -> tuple[str, ...]:
        """Panoramas that are denoised by a network."""
        return self.panoramas if self.study.denoise.method in LEARNED else ()

    @cached_property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """Panoramas of each noise condition."""
        words = [self.condition_of(name) for name in self.panoramas]
        return {
            word: tuple(
                name for name, own in zip(self.panoramas, words, strict=True) if own == word
            )
            for word in sorted(set(words))
        }

    def condition_of(self, panorama: str) -> str:
        """Return the noise condition of a panorama."""
        return self.sheet.noise_condition[panorama] or ALIKE

    def learned_from(self, method: str, condition: str) -> tuple[str, ...]:
        """Return the panoramas that a network of a condition learns from."""
        names = self.conditions[condition]
        if method == "paired":
            return tuple(name for name in names if self.sheet.paired_scan[name])
        return names

    def network(self, method: str, panorama: str) -> str:
        """Return the network that denoises a panorama by a method; its card lies beside it."""
        if method not in TRAINED_METHODS:
            return str(SHIPPED_DENOISER)
        return f"{TRAINED}/denoise_{method}.{self.condition_of(panorama)}.keras"

    def network_files(self, method: str, panorama: str) -> list[str]:
        """Return network and card where a study trains them."""
        return _with_card(self.network(method, panorama)) if method in TRAINED_METHODS else []

    def given_files(self, method: str) -> list[str]:
        """Return network and card where they are ready-made."""
        ready_made = method in LEARNED and method not in TRAINED_METHODS
        return _with_card(str(SHIPPED_DENOISER)) if ready_made else []

    @property
    def trainings(self) -> list[dict[str, str]]:
        """Method and condition of each network of the default target."""
        method = self.study.denoise.method
        if method not in TRAINED_METHODS:
            return []
        return [{"method": method, "condition": word} for word in self.conditions]


def check_denoising(study: Study, sheet: pd.DataFrame) -> None:
    """Check that the ready-made network is there, or what networks are to learn from.

    Raises
    ------
    InputError
        As `check_shipped`; naming the noise conditions without a second scan, if networks learn
        from such.
    """
    for key, methods in (
        ("denoise.method", [study.denoise.method]),
        ("compare_denoising.methods", study.compare_denoising.methods),
    ):
        if READY_MADE in methods:
            check_shipped(SHIPPED_DENOISER, key=key)
    if study.denoise.method != "paired":
        return
    plan = DenoisingPlan(study=study, sheet=sheet, panoramas=tuple(sheet.index))
    without = [word for word in plan.conditions if not plan.learned_from("paired", word)]
    if not without:
        return
    named = ", ".join(f"'{word}'" for word in without if word != ALIKE)
    where = f"of the noise condition {named} " if named and ALIKE not in without else ""
    raise InputError(
        f"{study.panoramas}: 'denoise: method: paired' learns from second scans, and no panorama "
        f"{where}has one in the column 'paired_scan'. Name a second scan of at least one panorama "
        "of each noise condition, or set the method to self_supervised."
    )


def _with_card(model):
    return [model, model.replace(".keras", ".json")]
