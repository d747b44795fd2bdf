"""What follows from a configuration and its sample sheet for phase maps: which files there are."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from damascene.config.segmentation import CLASSICAL, MOST_OTSU_PHASES
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.study.models import (
    CLASSICAL_PHASES,
    CLASSICAL_PIXELS,
    PHASE_MODEL,
    PHASE_MODEL_OF_FOLD,
    SHIPPED_PHASE_MODEL,
)
from damascene.study.phase_labels import SIMULATED_PHASES, simulated_have_labels


@dataclass(frozen=True, kw_only=True, eq=False)
class PhasePlan:
    """Facts about phase maps that rules are made from; attributes as of `plan.Plan`."""

    study: Study
    sheet: pd.DataFrame
    panoramas: tuple[str, ...]
    simulated: tuple[str, ...]

    @property
    def mapped(self) -> tuple[str, ...]:
        """Panoramas that get a phase map."""
        return () if self.study.segmentation.method == "none" else self.panoramas

    @cached_property
    def images(self) -> dict[str, Path]:
        """Label images of the phases, by panorama."""
        folder, paths = Path(self.study.data_folder), self.sheet["phase_labels"]
        return {name: folder / paths[name] for name in self.panoramas if paths[name]}

    @cached_property
    def labelled(self) -> tuple[str, ...]:
        """Panoramas whose phases are known at some pixels: from people, or from the simulator."""
        known = set(self.images)
        if simulated_have_labels(self.study):
            known |= set(self.simulated)
        return tuple(name for name in self.panoramas if name in known)

    @property
    def trains(self) -> bool:
        """Whether the study trains its own network for phase maps."""
        return self.study.segmentation.method == "train"

    @property
    def learns(self) -> bool:
        """Whether phase maps are by something that learned from the panoramas of the study."""
        return self.trains or self.classical

    @property
    def classical(self) -> bool:
        """Whether that is multi-Otsu or a forest."""
        return self.study.segmentation.method in CLASSICAL

    @property
    def trained_on(self) -> str:
        """What the network of the study learns from, for readers of its maps."""
        people = len(self.images)
        if not people:
            return "simulated steel only"
        images = f"{people} label image{'s' if people > 1 else ''}"
        beside = len(self.labelled) > people
        return f"{images} and simulated steel" if beside else images

    @property
    def model(self) -> str:
        """What makes phase maps: a network, whose card lies beside it, or a classical method."""
        if self.classical:
            return CLASSICAL_PHASES
        return PHASE_MODEL if self.trains else str(SHIPPED_PHASE_MODEL)

    @property
    def trained_files(self) -> list[str]:
        """All files of it, where this study makes them."""
        if self.classical:
            forest = self.study.segmentation.method == "random_forest"
            return [CLASSICAL_PHASES, *([CLASSICAL_PIXELS] if forest else [])]
        return _with_card(PHASE_MODEL) if self.trains else []

    @property
    def given_files(self) -> list[str]:
        """That network and its card, where it is a ready-made one."""
        ready_made = self.study.segmentation.method == SIMULATED
        return _with_card(str(SHIPPED_PHASE_MODEL)) if ready_made else []

    @property
    def test_folds(self) -> range:
        """Folds of the labelled area, each of which tests what learned from the others."""
        return range(self.study.segmentation.folds)

    @property
    def networks(self) -> dict[str, str]:
        """Networks that are tested on the labels: name, and file for each {fold}."""
        found = {}
        if self.trains:
            found[self.study.segmentation.network] = PHASE_MODEL_OF_FOLD
        if set(self.study.segmentation.phases) == set(SIMULATED_PHASES):
            found[SIMULATED] = str(SHIPPED_PHASE_MODEL)
        return found

    @property
    def rivals(self) -> tuple[str, ...]:
        """Classical methods that are tested on the same labels."""
        few = len(self.study.segmentation.phases) <= MOST_OTSU_PHASES
        return (*(["multi_otsu"] if few else []), "random_forest")

    def tested_network(self, method: str, fold: str) -> str:
        """Return the file of a network that did not learn from a fold."""
        return self.networks[method].format(fold=fold)

    @property
    def figures(self) -> list[str]:
        """Names of the figures of the default target."""
        of_study = ("phases_against_strain", "phase_convergence", "islands_and_bands")
        return [*(f"phases_{name}" for name in self.mapped), *(of_study if self.mapped else ())]

    @property
    def drawn(self) -> str:
        """Phase whose convergence and islands are drawn: the hard one, or else the first."""
        segmentation = self.study.segmentation
        steel = [name for name in segmentation.phases if name != segmentation.damage_phase]
        return segmentation.hard_phase or steel[0]

    @property
    def products(self) -> list[str]:
        """Files of the default target beside figures."""
        tables = ("phases", "phase_convergence", "phase_shapes", "phase_damage")
        return [
            *(f"results/phases/{name}.ome.tif" for name in self.mapped),
            *(f"results/statistics/{name}.tsv" for name in tables if self.mapped),
        ]


def _with_card(model):
    return [model, model.replace(".keras", ".json")]
