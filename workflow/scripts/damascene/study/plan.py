"""What follows from a configuration and its sample sheet: which files there are.

The rules and the preview of costs both ask here, so that each of these facts has one owner. All of
them are cheap: they come from the configuration, the sheet, and the header lines of text files.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from damascene.classes import STAGES
from damascene.config.label_source import DroppedLabels
from damascene.config.simulation import SIMULATED
from damascene.config.study import Study
from damascene.images.stitching.frames import is_stitched
from damascene.labels.few import FewLabels
from damascene.networks import IMAGENET
from damascene.study.comparison_plan import ComparisonPlan
from damascene.study.denoising_plan import DenoisingPlan
from damascene.study.few_labels import kept_few_labels, unclassified_note
from damascene.study.mentioned import mentioned_in_labels
from damascene.study.models import (
    TRAINED,
    doubts_of_test,
    learned_windows,
    model_folder,
    tested_folds,
    weighs_descriptors,
)
from damascene.study.phase_plan import PhasePlan
from damascene.study.sheet import image_options
from damascene.study.shift_plan import ShiftPlan

#: How far a site may lie outside a true outline and still be that site.
TRUTH_TOLERANCE = "0.4 um"


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Facts of a study that rules are made from.

    Attributes
    ----------
    study : Study
        With the networks of the models that it names.
    sheet : pandas.DataFrame
        The sample sheet in the order of the file, indexed by panorama.
    panoramas, simulated, stitched, imported, labelled : tuple of str
        Names of all panoramas, those from the simulator, from overlapping frames, from an image or
        a grid that touches, and those with labels. Each by strain and then by name, so that rows
        of the sheet can be put in another order and nothing changes.
    few : FewLabels or None
        Why the label files hold too little to train networks or to test them, where they do.
    """

    study: Study
    sheet: pd.DataFrame
    panoramas: tuple[str, ...]
    simulated: tuple[str, ...]
    stitched: tuple[str, ...]
    imported: tuple[str, ...]
    labelled: tuple[str, ...]
    few: FewLabels | None

    @property
    def read(self) -> tuple[str, ...]:
        """Panoramas that are read from files."""
        chosen = {*self.imported, *self.stitched}
        return tuple(name for name in self.panoramas if name in chosen)

    @property
    def paired(self) -> tuple[str, ...]:
        """Panoramas with another scan of the same place."""
        return tuple(name for name in self.panoramas if self.sheet.paired_scan[name])

    @property
    def paired_simulated(self) -> tuple[str, ...]:
        """Those of them that are simulated."""
        return tuple(name for name in self.simulated if self.sheet.paired_scan[name])

    @property
    def paired_imported(self) -> tuple[str, ...]:
        """Those of them that are read from files."""
        return tuple(name for name in self.read if self.sheet.paired_scan[name])

    @property
    def labelled_stitched(self) -> tuple[str, ...]:
        """Panoramas from overlapping frames that have labels."""
        return tuple(name for name in self.stitched if name in self.labelled)

    @property
    def has_labels(self) -> bool:
        """Whether there is something to learn from or to be tested on.

        Too few labels correct the classes of their sites where networks are named, and are shown
        where none are; they train and test nothing.
        """
        return bool(self.simulated or (self.study.labels and self.few is None))

    @cached_property
    def models(self) -> str:
        """Folder of the networks that classify, trained here or elsewhere."""
        return str(model_folder(self.study) or TRAINED)

    @property
    def trains(self) -> bool:
        """Whether the study trains its own networks."""
        return model_folder(self.study) is None

    @property
    def classifies(self) -> bool:
        """Whether there are networks that classify sites, or labels to train some.

        A study of phases alone has neither.
        """
        return self.has_labels or not self.trains

    @property
    def unclassified(self) -> str:
        """What is said where no site is classified, and what to do; empty where some are."""
        return "" if self.classifies else unclassified_note(self.study, self.few)

    @property
    def described(self) -> bool:
        """Whether a network of the study weighs descriptors."""
        return weighs_descriptors(self.study)

    @property
    def hard_phase(self) -> str:
        """Phase round which sites are described; empty where there is none, or no phase maps."""
        return (
            self.study.segmentation.hard_phase if self.study.segmentation.method != "none" else ""
        )

    def phase_value(self, name: str) -> int | None:
        """Return the value of a phase in phase maps, None for no phase."""
        return list(self.study.segmentation.phases).index(name) + 1 if name else None

    @property
    def test_folds(self) -> range:
        """Folds whose labels test networks that did not learn from them."""
        return tested_folds(self.study)

    @property
    def tested(self) -> str:
        """Which labels test, and what they test, for figures and captions."""
        if not self.trains:
            doubt = ", perhaps on these labels" if self.doubts_of_test else ""
            return f"all labels, by networks trained elsewhere{doubt}"
        folds = self.study.split.folds
        which = f"all {folds} folds" if self.study.split.cross_validate else f"1 of {folds} folds"
        doubt = ", from weights that perhaps know them" if self.doubts_of_test else ""
        return f"{which}, by networks trained without them{doubt}"

    @cached_property
    def doubts_of_test(self) -> list[str]:
        """What must be said where nobody knows whether labels are a test, for the terminal."""
        if not self.has_labels:
            return []
        return [
            f"Scores and calibration may be too good: whether {path} was trained on labels of "
            f"this study cannot be checked, because {reason}."
            for path, reason in doubts_of_test(self.networks_from_elsewhere).items()
        ]

    @property
    def untested(self) -> str:
        """Why no label tests the networks; empty where some do."""
        if self.has_labels:
            return ""
        if self.few:
            return f"the labels are too few to test the networks: {self.few.counted}"
        return "no labels test the networks"

    @property
    def windows(self) -> list[str]:
        """All windows from which something about a site is learned."""
        return learned_windows(self.study)

    @property
    def held_out_networks(self) -> dict[str, str]:
        """Files of networks by `stage/fold`: the fold was kept from their training.

        The final networks learn from all folds, so that no label can test them. Networks from
        elsewhere saw none of the labels.
        """
        file = f"{TRAINED}/folds/{{stage}}.{{fold}}.keras"
        if not self.trains:
            file = f"{self.models}/{{stage}}.keras"
        return {
            f"{stage}/{fold}": file.format(stage=stage, fold=fold)
            for stage in STAGES
            for fold in self.test_folds
        }

    @property
    def training_note(self) -> str:
        """What must be said of every number that networks trained here give elsewhere."""
        if set(self.labelled) - set(self.simulated):
            return ""
        return "Classes by networks that were trained on simulated steel only: a first answer."

    @cached_property
    def comparison(self) -> ComparisonPlan:
        """What follows for the comparison of denoisers."""
        return ComparisonPlan(
            study=self.study,
            panoramas=self.panoramas,
            known=frozenset({*self.simulated, *self.paired_imported}),
            classifies=self.classifies,
        )

    @property
    def phases(self) -> PhasePlan:
        """What follows for phase maps."""
        return PhasePlan(
            study=self.study, sheet=self.sheet, panoramas=self.panoramas, simulated=self.simulated
        )

    @cached_property
    def shift(self) -> ShiftPlan:
        """What follows for the comparison with the training set."""
        return ShiftPlan(study=self.study, models=self.models, trains=self.trains)

    @cached_property
    def denoising(self) -> DenoisingPlan:
        """What follows for denoising by networks."""
        return DenoisingPlan(study=self.study, sheet=self.sheet, panoramas=self.panoramas)

    @property
    def figures(self) -> list[str]:
        """Names of the figures of the default target."""
        kinds = ("quality", "overview", "space", "density_map") if self.classifies else ("quality",)
        pages = [f"{page}_{name}" for page in kinds for name in self.panoramas]
        pages += self.phases.figures
        if not self.classifies:
            return pages
        return [
            *("density_against_strain", "corrected_counts", "class_shares"),
            *("size_distributions", "median_sizes", "crack_directions", "sizes_3d", "gallery"),
            "domain_shift",
            *(["training"] if self.trains else []),
            *(["confusion_held_out", "calibration"] if self.has_labels else []),
            *pages,
            *(f"stitching_{name}" for name in self.stitched),
            *(["confusion_truth", "detection_truth"] if self.simulated else []),
            *(["phase_surroundings"] if self.hard_phase else []),
            *(["label_effect"] if self.shows_label_effect else []),
        ]

    @property
    def products(self) -> list[str]:
        """Files that the default target asks for."""
        figures = [f"results/figures/{name}.svg" for name in self.figures]
        figures += self.phases.products
        if not self.classifies:
            # What people said is shown, though nothing learns from it yet.
            return figures + (["results/labels/labels.parquet"] if self.labelled else [])
        return [
            *(f"results/sites/{name}.parquet" for name in self.panoramas),
            *figures,
            *(
                f"results/statistics/{name}"
                for name in (
                    *("densities.tsv", "sizes.tsv", "dispersion.tsv", "evolution.tsv"),
                    *("conditions.tsv", "rate_ratios.tsv", "domain_shift.tsv"),
                    *("space_summary.tsv", "random_labelling.tsv"),
                    *("headline.txt", "verdict.tsv", "methods.rst"),
                )
            ),
            *(["results/statistics/density_by_phase.tsv"] if self.hard_phase else []),
            *(["results/evaluation/model_card.rst"] if self.has_labels else []),
        ]

    @property
    def given_model_files(self) -> list[str]:
        """Networks from elsewhere and their cards, none where the study trains its own."""
        if self.trains:
            return []
        suffixes = ("keras", "json")
        return [f"{self.models}/{stage}.{suffix}" for stage in STAGES for suffix in suffixes]

    @property
    def networks_from_elsewhere(self) -> dict[str, str]:
        """Files of networks, by stage, that were trained before this study and are used in it."""
        if not self.trains:
            return {stage: f"{self.models}/{stage}.keras" for stage in STAGES}
        weights = {stage: self.study.stage(stage).weights for stage in STAGES}
        return {stage: path for stage, path in weights.items() if path not in ("none", IMAGENET)}

    @property
    def files_from_elsewhere(self) -> list[str]:
        """Those files and their cards, as far as there are any."""
        places = [Path(path) for path in self.networks_from_elsewhere.values()]
        files = [each for path in places for each in (path, path.with_suffix(".json"))]
        return [str(path) for path in files if path.is_file()]

    @property
    def label_settings(self) -> list[str]:
        """How each label file is read, as JSON, without its place."""
        return [source.model_dump_json(exclude={"path"}) for source in self.study.labels]

    def grid(self, panorama: str) -> tuple[str, str, dict]:
        """Return source, tile folder and options of a panorama that is an image or a grid."""
        return (
            str(self.source_file(panorama)),
            str(self.tile_folder(panorama) or ""),
            image_options(self.sheet.loc[panorama]),
        )

    @property
    def shows_label_effect(self) -> bool:
        """Whether somebody labels on: there are files in the folder of labels."""
        dropped = any(isinstance(source, DroppedLabels) for source in self.study.labels)
        return dropped and self.has_labels and self.classifies

    @property
    def labelled_grids(self) -> dict[str, tuple[str, str, dict]]:
        """Source, tile folder and options of labelled panoramas that are images or grids."""
        return {name: self.grid(name) for name in self.imported if name in self.labelled}

    @property
    def labelled_px(self) -> float:
        """Column of simulated panoramas up to which sites are labelled."""
        return self.study.simulation.width_px * self.study.simulation.labelled_fraction

    def source_file(self, panorama: str) -> Path:
        """Return the path of a panorama's image, grid file or list of frames."""
        return Path(self.study.data_folder) / self.sheet.path[panorama]

    def paired_file(self, panorama: str) -> Path:
        """Return the path of another scan of a panorama that is read from files."""
        return Path(self.study.data_folder) / self.sheet.paired_scan[panorama]

    def tile_folder(self, panorama: str) -> Path | None:
        """Return the folder of tiles or frames, None where they lie beside their list."""
        folder = self.sheet.tile_folder[panorama]
        return Path(self.study.data_folder) / folder if folder else None

    @property
    def label_files(self) -> list[Path]:
        """Paths of the label files that the study names."""
        return [Path(self.study.data_folder) / source.path for source in self.study.labels]


def plan_study(study: Study, sheet: pd.DataFrame, *, results: Path = Path("results")) -> Plan:
    """Return the plan of a study.

    Whether its label files suffice is what the check of the study found last, as jobs read neither
    headers nor positions.

    Parameters
    ----------
    study : Study
        With the networks of the models that it names (`with_models`).
    sheet : pandas.DataFrame
        As `read_sheet` returns it.
    results : pathlib.Path, optional
    """
    sheet = sheet.set_index("panorama", drop=False)
    strain = sheet["strain_percent"].fillna(math.inf)
    names = sorted(sheet.index, key=lambda name: (strain[name], name))
    folder = Path(study.data_folder)
    simulated = {name for name in names if sheet.path[name] == SIMULATED}
    stitched = {
        name
        for name in names
        if is_stitched(folder / sheet.path[name], sheet.overlap_percent[name])
    }
    labelled = simulated | mentioned_in_labels(study, sheet)
    # How many labels the truth of a simulated panorama will give is not known beforehand.
    few = kept_few_labels(results) if study.labels and not simulated else None

    def among(chosen):
        return tuple(name for name in names if name in chosen)

    return Plan(
        study=study,
        sheet=sheet,
        panoramas=tuple(names),
        simulated=among(simulated),
        stitched=among(stitched),
        imported=among(set(names) - simulated - stitched),
        labelled=among(labelled),
        few=few,
    )
