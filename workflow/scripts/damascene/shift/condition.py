"""What networks learned from: it travels with them, so that any panorama can be held against it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.classification.compared_sites import sampled_rows
from damascene.classification.embedding import embedding_of, stand_in_view, view_of
from damascene.classification.predict import load_network
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.training_condition import TrainingCondition
from damascene.images.store import open_pair
from damascene.learning.device import sites_at_once
from damascene.shift.image_measures import measure_windows
from damascene.shift.measures import panorama_values, training_ranges
from damascene.shift.space import (
    EMPTY,
    LEAST_GROUPS,
    LEAST_SITES,
    MOST_TRAINING_SITES,
    Space,
    fit_space,
)
from damascene.versions import NETWORK_PACKAGES, package_versions


def describe_training(
    sites: pd.DataFrame,
    records: Sequence[PanoramaRecord],
    *,
    images: Mapping[str, tuple[str | Path, str | Path]],
    candidates: Mapping[str, int],
    network: str,
    window: str,
    model_path: str | Path | None,
) -> tuple[TrainingCondition, Space | None]:
    """Describe the panoramas and sites that networks learned from.

    Parameters
    ----------
    sites : pandas.DataFrame
        `SPLIT`: the labelled sites with their groups.
    records : sequence of PanoramaRecord
        Of the panoramas they lie in.
    images : mapping of panorama to (image, mask)
        Paths of the images in which sites are sought, denoised or not.
    candidates : mapping of panorama to int
        How many candidates each has.
    network, window : str
        Architecture of the network that names the damage, and its window.
    model_path : path or None
        This network, if it is frozen and looks at the sites itself; its card lies beside it.

    Returns
    -------
    condition : TrainingCondition
    space : Space or None
        None where the sites are too few, or all of one group.
    """
    view = _view(model_path, window=window)
    sites = sites.iloc[sampled_rows(len(sites), most=MOST_TRAINING_SITES)]
    windows, panoramas, features = [], {}, []
    for record in sorted(records, key=lambda one: one.panorama):
        own = sites[sites["panorama"] == record.panorama]
        with open_pair(*images[record.panorama], by_windows=True) as (image, valid):
            measured = measure_windows(image, valid)
            features.append(
                view.features(
                    own["clip_x_px"], own["clip_y_px"], image, valid, batch_size=sites_at_once()
                )
            )
        windows.append(measured)
        panoramas[record.panorama] = panorama_values(
            measured,
            pixel_size_nm=record.pixel_size_nm,
            candidates=candidates[record.panorama],
            area_mm2=record.valid_area_mm2,
        )
    groups = np.concatenate(
        [sites.loc[sites["panorama"] == name, "group"].to_numpy() for name in panoramas]
    )
    condition = TrainingCondition(
        panoramas=tuple(panoramas),
        sites=len(sites),
        groups=len(set(groups)),
        embedding=embedding_of(network),
        window=window,
        measures=training_ranges(pd.concat(windows), panoramas),
        versions=package_versions(*NETWORK_PACKAGES),
    )
    if len(sites) < LEAST_SITES or condition.groups < LEAST_GROUPS:
        return condition, None
    return condition, fit_space(np.concatenate(features), groups)


def write_condition(condition: TrainingCondition, space: Space | None, path: str | Path) -> None:
    """Write what networks learned from: the record, and its space beside it as `.npz`."""
    condition.write(path)
    (space or EMPTY).write(Path(path).with_suffix(".npz"))


def _view(model_path, *, window):
    if model_path is None:
        return stand_in_view(window)
    card = ModelCard.read(Path(model_path).with_suffix(".json"))
    return view_of(load_network(model_path, card=card, classes=STAGE_CLASSES["damage"]), card)
