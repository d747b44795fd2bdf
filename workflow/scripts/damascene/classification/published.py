"""Published networks in files of Keras 2, made ready for `models:` in a configuration.

    python -m damascene.classification.published INCLUSION.h5 DAMAGE.h5 FOLDER

Both files are checked, converted to `.keras`, and written with their cards into the folder.
"""

import argparse
import hashlib
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import pandas as pd

from damascene import InputError
from damascene.classes import STAGE_CLASSES
from damascene.contracts.model_card import ModelCard, PublicSource
from damascene.files import written_whole
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.networks.weights import checksum, set_weights_from
from damascene.versions import NETWORK_PACKAGES, package_versions

#: Public files by their checksum.
REGISTRY = Path(__file__).parents[4] / "resources/public_weights.tsv"
# Published with these networks: InceptionV3 recognises inclusions, EERACN names the damage.
_STAGES = {"inclusion": ("inception_v3", "250 px"), "damage": ("eeracn", "100 px")}
# The pixel size of the training panoramas is not stated; such panoramas have 20 to 60 nm.
_PIXEL_SIZES_NM = (20, 60)


def known_file(path: str | Path, *, registry: Path = REGISTRY) -> dict | None:
    """Return what the registry says of a file, by its SHA-256 checksum; None if it is not there."""
    table = pd.read_csv(registry, sep="\t")
    found = table[table["sha256"] == _sha256(Path(path))]
    return None if found.empty else found.iloc[0].to_dict()


def convert_published(
    path: str | Path, *, stage: str, folder: str | Path, registry: Path = REGISTRY
) -> tuple[keras.Model, ModelCard]:
    """Convert the published network of a stage, and write it with its card.

    Parameters
    ----------
    path : path
        `.h5` file of Keras 2, the folder of a SavedModel, or what else `foreign_files` reads.
    stage : {"inclusion", "damage"}
    folder : path
        Where `{stage}.keras` and `{stage}.json` are written.
    registry : path, optional
        Table of public files.

    Returns
    -------
    model : keras.Model
        Takes one grey channel; answers as the original does on three equal ones.
    card : ModelCard

    Raises
    ------
    InputError
        If the file is missing, is that of the other stage, or its weights do not fit.
    """
    path, folder = Path(path), Path(folder)
    if not path.exists():
        raise InputError(f"There is no file {path}. Name the .h5 file of the {stage} network.")
    known = known_file(path, registry=registry)
    if known and known["stage"] != stage:
        raise InputError(f"{path} is the public network of stage {known['stage']}, not {stage}.")
    network, window = _STAGES[stage]
    classes = STAGE_CLASSES[stage]
    model = build_network(network, class_count=len(classes), seed=0)
    set_weights_from(model, path)
    spec = network_named(network)
    source = f"doi {known['doi']}" if known else "a file that is not among the public ones"
    card = ModelCard(
        network=network,
        classes=classes,
        input_px=spec.input_px,
        scales=1,
        window=window,
        centre=None,
        descriptors=False,
        grey_scaling=spec.grey_scaling,
        average_flips=spec.average_flips,
        parameters=int(model.count_params()),
        pixel_size_nm=_PIXEL_SIZES_NM,
        source=PublicSource(file=path.name, sha256=_sha256(path), origin=source),
        note=f"Classes by the {stage} network of {source}, trained elsewhere.",
        versions=package_versions(*NETWORK_PACKAGES),
    )
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / f"{stage}.keras") as (part,):
        model.save(part)
    card.write(folder / f"{stage}.json")
    return model, card


def _sha256(path):
    """Return the checksum of a file, or of all files of a SavedModel, which is a folder."""
    if path.is_file():
        return checksum(path, "sha256")
    files = sorted(each for each in path.rglob("*") if each.is_file())
    sums = [f"{each.relative_to(path)} {checksum(each, 'sha256')}\n" for each in files]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def main() -> None:
    """Convert the two files named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inclusion", help=".h5 file or SavedModel of the inclusion network")
    parser.add_argument("damage", help="that of the damage network")
    parser.add_argument("folder", help="folder to write, for `models:` in the configuration")
    given = parser.parse_args()
    try:
        for stage in STAGE_CLASSES:
            _, card = convert_published(getattr(given, stage), stage=stage, folder=given.folder)
            print(f"{given.folder}/{stage}.keras: {card.network}, {card.source.origin}")
    except InputError as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
