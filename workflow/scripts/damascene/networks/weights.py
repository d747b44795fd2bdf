"""Weights that a training starts from: those of ImageNet, or of an earlier training."""

import hashlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from damascene import InputError
from damascene.networks.architecture import ADDED_LAYERS
from damascene.networks.foreign_files import StoredLayer, StoredNetwork, pair_layers, read_stored
from damascene.networks.layers import CUSTOM_LAYERS
from damascene.networks.random_forest import Forest

#: Where files that were put by hand are looked for.
WEIGHTS_FOLDER = Path(__file__).parents[4] / "resources/weights"
_SOURCE = "https://storage.googleapis.com/tensorflow/keras-applications"
_CHUNK = 2**20


@dataclass(frozen=True)
class ImageNetFile:
    """A public file with weights without top, and its MD5 checksum."""

    name: str
    folder: str
    md5: str


IMAGENET_FILES = {
    "inception_v3": ImageNetFile(
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "inception_v3",
        "bcbd6486424b2319ff4ef7d526e38f63",
    ),
    "xception": ImageNetFile(
        "xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "xception",
        "b0042744bf5b25fce3cb969f33bebb97",
    ),
    "vgg16": ImageNetFile(
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "vgg16",
        "6d6bbae143d832006294945121d1f1fc",
    ),
}


def imagenet_file(network: str, *, folder: Path = WEIGHTS_FOLDER) -> Path:
    """Return the file with ImageNet weights of a network; fetch it if it is not there.

    Parameters
    ----------
    network : str
        Key of `IMAGENET_FILES`.
    folder : pathlib.Path, optional
        Looked into before the cache of Keras.

    Raises
    ------
    InputError
        If the file cannot be fetched, or it is damaged.
    """
    public = IMAGENET_FILES[network]
    path = folder / public.name
    if not path.is_file():
        path = _keras_home() / "models" / public.name
    if not path.is_file():
        url = f"{_SOURCE}/{public.folder}/{public.name}"
        try:
            path = Path(keras.utils.get_file(public.name, url, cache_subdir="models"))
        except Exception as error:
            raise InputError(
                f"The ImageNet weights of {network} cannot be fetched from {url}: {error}. "
                f"Fetch the file elsewhere and put it into {folder} as {public.name} (MD5 "
                f"{public.md5})."
            ) from error
    found = checksum(path, "md5")
    if found != public.md5:
        raise InputError(
            f"{path} is damaged or another file: its MD5 is {found}, not {public.md5}. Delete it "
            "and fetch it again."
        )
    return path


def set_imagenet_weights(model: keras.Model) -> None:
    """Give a network of `IMAGENET_FILES`, known by its name, the weights of ImageNet.

    Raises
    ------
    InputError
        See `imagenet_file`.
    """
    set_weights_from(model, imagenet_file(model.name), top=False)


def checksum(path: str | Path, algorithm: str) -> str:
    """Return a checksum of a file in hexadecimal digits."""
    digest = hashlib.new(algorithm)
    with Path(path).open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_network(path: str | Path) -> keras.Model:
    """Read a network from a `.keras` file.

    Raises
    ------
    ValueError, TypeError, OSError
        If the file is damaged, or it is none of a network.
    """
    _require_whole(path)
    return keras.models.load_model(path, custom_objects=CUSTOM_LAYERS, compile=False)


def set_weights_from(model: keras.Model, path: str | Path, *, top: bool = True) -> None:
    """Give a network the weights in a file.

    Parameters
    ----------
    model : keras.Model
        From `build.build_network`.
    path : path
        A model of the same network of this project (`.keras`), or what `foreign_files` reads.
    top : bool, optional
        Whether the file holds the last layers of this project's own, too: those of ImageNet do
        not.

    Raises
    ------
    InputError
        If the file cannot be read or its weights do not fit the network.
    """
    path = Path(path)
    try:
        stored = _read_own(path) or read_stored(path)
        for layer, values in pair_layers(stored, model, top=top):
            layer.set_weights(values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} does not fit the network {model.name} for clips of "
            f"{_input_px(model)} pixels and {model.output_shape[1]} classes: {error}. Name "
            "weights of this very network, with the same input and classes."
        ) from error


def freeze_first(model: keras.Model, count: int) -> None:
    """Keep the weights of the first layers as they are, counted from the input.

    The layers that bring the grey channel to the published input are not counted: published
    networks do not have them.

    Raises
    ------
    InputError
        If nothing would be left to train before the softmax layer.
    """
    counted = [each for each in model.layers if each.name not in ADDED_LAYERS]
    if count >= len(counted) - 1:
        raise InputError(
            f"frozen_layers {count} leaves nothing of the network {model.name} to train but its "
            f"last layer or less. Choose at most {len(counted) - 2}."
        )
    for layer in counted[:count]:
        layer.trainable = False


def _keras_home():
    # Keras has no public name for it.
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _read_own(path):
    """Return the layers of a network of this project in a `.keras` file; None of any other."""
    if path.suffix != ".keras" or path.is_dir():
        return None
    _require_whole(path)
    try:
        model = read_network(path)
    except (TypeError, ValueError):
        # Of Keras 2, whose settings of some layers Keras 3 does not take.
        return None
    if "grey" not in [one.name for one in model.inputs or ()]:
        return None
    return StoredNetwork(
        layers=[
            StoredLayer(name=layer.name, weights=tuple(layer.get_weights()))
            for layer in model.layers
            # The trees are no part of the network that learns.
            if layer.weights and not isinstance(layer, Forest)
        ]
    )


def _require_whole(path):
    # A flipped bit would be another network. Keras meets the checksums of what it happens to read;
    # here all of them are compared.
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise ValueError(f"the file is damaged or incomplete ({error})") from error
    if damaged is not None:
        raise ValueError(f"the file is damaged, {damaged} in it is not what was written")


def _input_px(model):
    return next(one.shape[1] for one in model.inputs if one.name == "grey")
