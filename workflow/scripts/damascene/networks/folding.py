"""Batch normalisations of a trained network as part of the convolutions before them."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np


def without_normalisation(model: keras.Model) -> keras.Model:
    """Return a network that answers as a trained one does, with fewer steps.

    A batch normalisation that follows a convolution without activation is a factor and an offset
    for each channel, which its kernel and its bias can hold. Others stay as they are.

    Parameters
    ----------
    model : keras.Model
        A functional model.

    Returns
    -------
    keras.Model
        For inference alone. Answers differ by the rounding of single precision.
    """
    folded = {
        norm.name: convolution.name
        for norm in model.layers
        if isinstance(norm, keras.layers.BatchNormalization)
        for convolution in model.layers
        if convolution.output is norm.input and _is_linear_convolution(convolution)
    }
    norm_of = {convolution: norm for norm, convolution in folded.items()}

    def replaced(layer):
        config = layer.get_config()
        if layer.name in folded:
            return keras.layers.Activation("linear", name=layer.name)
        if layer.name in norm_of:
            config["use_bias"] = True
        return type(layer).from_config(config)

    # Without the optimiser of its training. Nothing is masked: only normalisations would take the
    # argument.
    plain = keras.models.clone_model(
        keras.Model(model.inputs[0], model.outputs[0], name=model.name),
        clone_function=replaced,
        call_function=lambda layer, given, **_: layer(given),
    )
    for layer in plain.layers:
        trained = model.get_layer(layer.name)
        if layer.name in norm_of:
            layer.set_weights(_folded(trained, model.get_layer(norm_of[layer.name])))
        elif layer.name not in folded:
            layer.set_weights(trained.get_weights())
    return plain


def _is_linear_convolution(layer):
    return type(layer) is keras.layers.Conv2D and layer.get_config()["activation"] == "linear"


def _folded(convolution, norm):
    """Return kernel and bias of a convolution that normalises as well."""
    kernel, *bias = (each.astype(np.float64) for each in convolution.get_weights())
    factor = np.ones(kernel.shape[-1])
    settings = norm.get_config()
    rest = [each.astype(np.float64) for each in norm.get_weights()]
    if settings["scale"]:
        factor = rest.pop(0)
    offset = rest.pop(0) if settings["center"] else 0.0
    mean, variance = rest
    factor = factor / np.sqrt(variance + settings["epsilon"])
    return [kernel * factor, (sum(bias) - mean) * factor + offset]
