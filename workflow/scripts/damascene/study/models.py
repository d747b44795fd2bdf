"""Trained networks that a study names instead of training its own."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from damascene import InputError
from damascene.classes import STAGE_CLASSES, STAGES
from damascene.config.study import Study
from damascene.contracts.image_model_card import ImageModelCard
from damascene.contracts.model_card import ModelCard, known_training_sites
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.networks import GREY_SCALINGS, network_named
from damascene.units import length_px

#: Word for the networks in `resources/models`, which were trained on simulated steel only.
SIMULATED_MODELS = "simulated"
_SHIPPED = Path(__file__).parents[4] / "resources/models"
#: Where a study puts the networks that it trains.
TRAINED = "results/models"
#: The network for phase maps that a study trains, and the one that learned from simulated steel.
PHASE_MODEL = f"{TRAINED}/phases.keras"
#: What a classical method learned of phases, and the pixels from which a forest grows.
CLASSICAL_PHASES = f"{TRAINED}/classical_phases.json"
CLASSICAL_PIXELS = f"{TRAINED}/classical_phases.npz"
#: Its like that was kept from a fold.
PHASE_MODEL_OF_FOLD = f"{TRAINED}/folds/phases.{{fold}}.keras"
SHIPPED_PHASE_MODEL = _SHIPPED / "phases.keras"
#: The ready-made network that denoises.
SHIPPED_DENOISER = _SHIPPED / "denoise_simulated.keras"
#: Classes and descriptors of simulated sites, for `training.simulated_sites`.
SIMULATED_SITES = _SHIPPED / "simulated_sites.parquet"
# Pixels may be this many times finer or coarser than those the networks were trained on.
_PIXEL_FACTOR = 2.0


def model_folder(study: Study) -> Path | None:
    """Return the folder of the networks that a study names, None if it trains its own."""
    if study.models == "train":
        return None
    return _SHIPPED if study.models == SIMULATED_MODELS else Path(study.models)


def read_cards(folder: Path) -> dict[str, ModelCard]:
    """Read the cards of both networks in a folder.

    Returns
    -------
    dict of str to ModelCard
        By stage, `inclusion` and `damage`.

    Raises
    ------
    InputError
        If a file is missing, or a card does not fit its stage or this version.
    """
    cards = {}
    for stage, classes in STAGE_CLASSES.items():
        model, path = folder / f"{stage}.keras", folder / f"{stage}.json"
        for each in (model, path):
            if not each.is_file():
                raise InputError(
                    f"models: there is no file {each}. A folder of trained networks holds "
                    "inclusion.keras, inclusion.json, damage.keras and damage.json, as "
                    "results/models of an earlier study does."
                )
        card = ModelCard.read(path)
        if card.classes != classes:
            raise InputError(
                f"{path}: the network has the classes {', '.join(card.classes)}; needed are "
                f"{', '.join(classes)}, in this order. Name the folder of networks with these "
                "classes, or train your own (models: train)."
            )
        if card.grey_scaling not in GREY_SCALINGS:
            raise InputError(
                f"{path}: the grey scaling '{card.grey_scaling}' is none of "
                f"{', '.join(GREY_SCALINGS)}. Train the networks again with this version."
            )
        cards[stage] = card
    return cards


def check_shipped(model: Path, *, key: str) -> None:
    """Check that a network that comes with the workflow is there and whole, and its card.

    Parameters
    ----------
    model : pathlib.Path
        `SHIPPED_PHASE_MODEL` or `SHIPPED_DENOISER`.
    key : str
        What of the configuration asks for it, for the message.

    Raises
    ------
    InputError
        Naming the file and what to do.
    """
    card, restored = model.with_suffix(".json"), "Restore it from a fresh copy of the workflow"
    for each in (model, card):
        if not each.is_file():
            raise InputError(
                f"{key}: there is no file {each}, which comes with the workflow. {restored}, or "
                "choose other methods."
            )
    if not zipfile.is_zipfile(model):
        raise InputError(
            f"{key}: {model} is damaged or incomplete. {restored}, or choose other methods."
        )
    ImageModelCard.read(card)


def check_places(study: Study, *, results: Path = Path("results")) -> None:
    """Check that a study does not start from networks that it writes itself.

    Raises
    ------
    InputError
        If networks or weights lie among its results, however their path is spelled.
    """
    folder = model_folder(study)
    named = {f"{stage}.weights": [Path(study.stage(stage).weights)] for stage in STAGES}
    if folder is not None:
        files = [folder / f"{stage}{suffix}" for stage in STAGES for suffix in (".keras", ".json")]
        named = {"models": [folder, *files]}
    for key, places in named.items():
        for place in places:
            if _lies_in(place, results):
                raise InputError(
                    f"{key}: {place} lies in the results of this study ({results.resolve()}), "
                    "which writes its networks there: it would overwrite what it starts from. "
                    f"Copy it to another place first, as by\ncp -r {TRAINED} networks\nand name "
                    "the copy."
                )


def _lies_in(path, folder):
    """Say whether a path leads into a folder, through links, mounts and letters of any case."""
    path, folder = path.resolve(), folder.resolve()
    if path.is_relative_to(folder):
        return True
    if not folder.exists():
        return False
    return any(each.exists() and each.samefile(folder) for each in (path, *path.parents))


def doubts_of_test(networks: Mapping[str, str]) -> dict[str, str]:
    """Return networks of which nobody knows whether they were trained on the labels of a study.

    Parameters
    ----------
    networks : mapping of stage to path
        Files of networks; their cards lie beside them.

    Returns
    -------
    dict of str to str
        Why it is not known, by path.
    """
    reasons = {path: known_training_sites(path)[1] for path in networks.values()}
    return {path: reason for path, reason in reasons.items() if reason}


def with_models(study: Study) -> Study:
    """Return the study with the networks and windows of the models it names.

    Raises
    ------
    InputError
        As `check_places` and `read_cards`.
    """
    check_places(study)
    folder = model_folder(study)
    if folder is None:
        return study
    return study.model_copy(
        update={
            stage: study.stage(stage).model_copy(
                update={
                    "network": card.network,
                    "window": card.window,
                    "centre": card.centre or 1.0,
                    "descriptors": card.descriptors,
                }
            )
            for stage, card in read_cards(folder).items()
        }
    )


def check_pixel_size(cards: dict[str, ModelCard], *, panorama: str, pixel_size_nm: float) -> None:
    """Check that networks may be used at the pixel size of a panorama.

    Raises
    ------
    InputError
        If windows are given in pixels and show another part of the steel, or pixels are much finer
        or coarser than those the networks know.
    """
    for stage, card in cards.items():
        finest, coarsest = card.pixel_size_nm
        in_pixels = card.window.strip().endswith("px")
        factor = 1.1 if in_pixels else _PIXEL_FACTOR
        if finest / factor <= pixel_size_nm <= coarsest * factor:
            continue
        shown = f"{finest:g}" if finest == coarsest else f"{finest:g} to {coarsest:g}"
        reason = "they would show another part of the steel" if in_pixels else "too far off"
        edge_um = length_px(card.window, pixel_size_nm=pixel_size_nm) * pixel_size_nm / 1000
        raise InputError(
            f"models: the {stage} network was trained at {shown} nm a pixel on windows of "
            f"{card.window}; panorama '{panorama}' has {pixel_size_nm:g} nm (a window of "
            f"{edge_um:.3g} um): {reason}. Check the pixel size in the sheet, resample the "
            "panorama, or train networks on panoramas of this size. For phase maps alone leave out "
            "'models' and 'labels'."
        )


def weighs_descriptors(study: Study) -> bool:
    """Tell whether a network of the study weighs descriptors."""
    return any(
        study.stage(stage).descriptors and network_named(study.stage(stage).network).descriptors
        for stage in STAGES
    )


def learned_windows(study: Study) -> list[str]:
    """Return all windows from which something about a site is learned, such as `5 um`."""
    windows = [study.stage(stage).window for stage in STAGES]
    return windows + ([DESCRIPTOR_WINDOW] if weighs_descriptors(study) else [])


def tested_folds(study: Study) -> range:
    """Return the folds whose labels test networks that did not learn from them.

    The first one, or all: with a cross-validation, and where the networks are from elsewhere.
    """
    every = study.split.cross_validate or model_folder(study) is not None
    return range(study.split.folds if every else 1)


def clips_by_stage(study: Study) -> dict[str, str]:
    """Return the stage whose clips each stage is shown: stages that see a site alike share them."""
    shown, first = {}, {}
    for stage in STAGES:
        settings = study.stage(stage)
        view = (settings.network, settings.window, settings.centre)
        shown[stage] = first.setdefault(view, stage)
    return shown


def looks_once(study: Study, stage: str) -> bool:
    """Return whether all trainings of a stage learn from one look of frozen layers at the labels.

    Sites that a network labels by itself differ from training to training.
    """
    return network_named(study.stage(stage).network).frozen and not study.training.pseudo_labels
