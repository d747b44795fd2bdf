"""EfficientNet-Lite0 with weights that were adapted to simulated steel.

`make shipped-lite0` makes the file, see `classification.steel_adaptation`.
"""

import os
import zipfile
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene import InputError
from damascene.networks import STEEL_WEIGHTS
from damascene.networks.efficientnet import lite0_layers
from damascene.networks.transfer import build_lite0


def build_steel_lite0(**options) -> keras.Model:
    """Build the network of `transfer.build_lite0` by its own name; parameters as there."""
    return build_lite0(**options, name="steel_lite0")


def set_steel_weights(model: keras.Model, *, path: Path = STEEL_WEIGHTS) -> None:
    """Give the layers of EfficientNet-Lite0 in a model the weights adapted to steel.

    Parameters
    ----------
    model : keras.Model
        Holds layers of `efficientnet.efficientnet_lite0`; others stay as they are.
    path : pathlib.Path, optional

    Raises
    ------
    InputError
        If the file is missing or damaged, or its weights do not fit.
    """
    try:
        with np.load(path) as stored:
            for layer in lite0_layers(model):
                parts = (stored[f"{layer.name}/{part}"] for part in ("kernel", "bias"))
                layer.set_weights([part.astype(np.float32) for part in parts])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(
            f"{path} is missing or damaged, it cannot be read as the weights of steel_lite0 "
            f"({error}). Restore it from a fresh copy of the workflow, or choose another network."
        ) from error
