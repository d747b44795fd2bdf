"""A public image run with a published parameter set, and the numbers that come out."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from damascene.classes import INCLUSION, NOT_CLASSIFIED, STAGE_CLASSES
from damascene.classification.predict import networks_in, predict_sites
from damascene.classification.published import convert_published
from damascene.config.study import load_study
from damascene.detection.settings import find_candidates_of
from damascene.images.importing import import_panorama
from damascene.images.store import open_pair
from damascene.learning.device import sites_at_once
from damascene.networks.build import build_network

# Published in pixels: the size of a pixel changes nothing, but an image must have one.
_PIXEL_SIZE_NM = 40.0
# Sites whose probabilities are told one by one.
_FIRST = 5
_ARCHITECTURES = {"inception_v3": "inclusion", "eeracn": "damage"}


def count_parameters() -> dict[str, float]:
    """Return the weights of the two published networks, as this project builds them."""
    return {
        f"{network}_parameters": float(
            build_network(network, class_count=len(STAGE_CLASSES[stage]), seed=0).count_params()
        )
        for network, stage in _ARCHITECTURES.items()
    }


def run_on_image(
    image: Path, *, preset: str, networks: Mapping[str, Path] | Path | None
) -> dict[str, float]:
    """Search a public image with a published parameter set, and classify what is found.

    Parameters
    ----------
    image : pathlib.Path
    preset : str
    networks : mapping of stage to path, or path, or None
        Published files, which are converted; or the folder of networks that are ready; None if
        they are not available.

    Returns
    -------
    dict of str to float
        By the names of `quantities`.
    """
    study = load_study({"preset": preset})
    with tempfile.TemporaryDirectory() as place:
        paths = Path(place, "image.ome.tif"), Path(place, "valid.ome.tif")
        import_panorama(
            panorama="published",
            source=image,
            tile_folder=None,
            pixel_size_nm=_PIXEL_SIZE_NM,
            pixel_size_overrides_header=True,
            image_path=paths[0],
            valid_path=paths[1],
            data_bar_px=0,
        )
        with open_pair(*paths, by_windows=True) as (opened, valid):
            found = find_candidates_of(
                opened, valid, panorama="published", settings=study.detection
            )
            counts = found.counts
            measured = {
                "clusters": counts.clusters,
                "noise_pixels": counts.noise_pixels,
                "candidates": counts.candidates,
            }
            if networks is not None:
                if not isinstance(networks, Path):
                    for stage, path in networks.items():
                        convert_published(path, stage=stage, folder=place)
                    networks = Path(place)
                sites = predict_sites(
                    found.candidates,
                    opened,
                    **networks_in(networks),
                    valid=valid,
                    batch_size=sites_at_once(),
                    inclusion_threshold=study.inclusion.threshold,
                    damage_threshold=study.damage.threshold,
                )
                measured |= _of_sites(sites)
    return {name: float(value) for name, value in measured.items()}


def _of_sites(sites: pd.DataFrame) -> dict[str, float]:
    """Count and list sites as the public notebook prints them."""
    is_inclusion = sites["predicted_class"] == INCLUSION
    rest = sites[~is_inclusion]
    unnamed = int((rest["predicted_class"] == NOT_CLASSIFIED).sum())
    measured = {
        "inclusions": int(is_inclusion.sum()),
        "stage2_sites": len(rest),
        "identified": len(rest) - unnamed,
        "not_classified": unnamed,
    }
    inclusions = sites[is_inclusion].sort_values("y_px")
    for number, site in enumerate(inclusions.itertuples(), start=1):
        measured[f"inclusion_{number}_row"] = site.y_px
        measured[f"inclusion_{number}_column"] = site.x_px
    for number, value in enumerate(sites["p_inclusion"].head(_FIRST), start=1):
        measured[f"stage1_{number}_inclusion"] = value
        measured[f"stage1_{number}_rest"] = 1 - value
    for number, (_, site) in enumerate(rest.head(_FIRST).iterrows(), start=1):
        for name in STAGE_CLASSES["damage"]:
            measured[f"stage2_{number}_{name}"] = site[f"p_{name}"]
    return measured
