"""EfficientNet-Lite0 with weights that were adapted to simulated steel.

`make shipped-lite0` makes the file, see `classification.steel_adaptation`.
"""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene.networks.efficientnet import lite0_layers
from damascene.networks.transfer import build_lite0

#: Weights in half precision, part of the project.
STEEL_WEIGHTS = Path(__file__).parents[4] / "resources/models/steel_lite0.npz"


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
    """
    with np.load(path) as stored:
        for layer in lite0_layers(model):
            parts = (stored[f"{layer.name}/{part}"] for part in ("kernel", "bias"))
            layer.set_weights([part.astype(np.float32) for part in parts])
