"""What a network looks at: its first filters, its feature maps, and the regions that decide."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from damascene.classification.predict import load_network, predict_clips
from damascene.classification.targets import stage_labels
from damascene.clips.network_input import network_inputs
from damascene.contracts.model_card import ModelCard
from damascene.networks.stage_answers import STAGE
from damascene.units import length_px

_BATCH = 64
# Sites of each class that are shown.
_EXAMPLES = 2

_TO_VECTOR = (
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.Flatten,
)
# What lies between the last maps and the vector without seeing more of the picture.
_AFTER_MAPS = (
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.Cropping2D,
    keras.layers.Dropout,
)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a network looks at, in examples.

    Attributes
    ----------
    filters : list of numpy.ndarray
        From `first_filters`.
    filter_names : list of str
        What each of them sees.
    window_um : float
        Edge of the window in micrometres.
    centre : float or None
        Edge of the second scale as a fraction of the window.
    examples : dict of class to (clips, heat, captions)
        The sites that the network is surest of: uint8 and float32 (sites, size, size, scales).
    maps : dict of class to list
        From `outer_maps`, of the first example.
    """

    filters: list[np.ndarray]
    filter_names: list[str]
    window_um: float
    centre: float | None
    examples: dict[str, tuple[np.ndarray, np.ndarray, list[str]]]
    maps: dict[str, list[tuple[np.ndarray, np.ndarray]]]


def explain_network(
    model_path: str | Path,
    *,
    card: ModelCard,
    classes: tuple[str, ...],
    labels: Sequence[str],
    clips: np.ndarray,
    descriptors: np.ndarray | None = None,
) -> Explanation:
    """Explain a network by its filters and by the labelled sites it is surest of.

    Parameters
    ----------
    model_path, card
        The network.
    classes : tuple of str
        Of its stage.
    labels : sequence of str, length n
        Classes of the sites.
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
        Needed where the card says so.
    """
    model = load_network(model_path, card=card, classes=classes)
    names = stage_labels(labels, classes=classes)
    probabilities = predict_clips(model, clips, descriptors, card=card, batch_size=_BATCH)
    examples, maps = {}, {}
    for index, name in enumerate(classes):
        rows = np.flatnonzero(names == name)
        rows = rows[np.argsort(-probabilities[rows, index], kind="stable")[:_EXAMPLES]]
        if not len(rows):
            continue
        inputs = network_inputs(
            clips[rows],
            None if descriptors is None else descriptors[rows],
            grey_scaling=card.grey_scaling,
        )
        captions = [f"p = {value:.2f}" for value in probabilities[rows, index]]
        heat = grad_cam(model, inputs, class_index=index)
        examples[name] = (clips[rows], heat, captions)
        maps[name] = outer_maps(model, inputs)
    pixel_nm = card.pixel_size_nm[0]
    window_um = length_px(card.window, pixel_size_nm=pixel_nm) * pixel_nm / 1000
    filters = first_filters(model)
    return Explanation(
        filters=filters,
        filter_names=_scale_names(len(filters), window_um=window_um, centre=card.centre),
        window_um=window_um,
        centre=card.centre,
        examples=examples,
        maps=maps,
    )


def _scale_names(count, *, window_um, centre):
    names = [f"window of {window_um:.3g} µm"]
    if centre:
        names.append(f"its centre of {window_um * centre:.3g} µm")
    # One convolution may see both.
    return names if count >= len(names) else [" and ".join(names)]


def first_filters(model: keras.Model) -> list[np.ndarray]:
    """Return the kernels of the convolutions that see the clip itself, one array a scale.

    Returns
    -------
    list of numpy.ndarray, float32, shape (kernel, kernel, filters)
        Summed over input channels: networks that repeat the grey channel see their sum.
    """
    return [np.asarray(layer.kernel).sum(axis=2) for layer in _first_convolutions(model)]


def scale_layers(model: keras.Model) -> list[list[str]]:
    """Return the names of the layers of `feature_maps` that see each scale, in their order.

    Returns
    -------
    list of list of str
        One list a first convolution, in the order of `first_filters`.
    """
    behind = {layer: [layer, *_ancestors(layer)] for layer in _map_layers(model)}
    return [
        [layer.name for layer, passed in behind.items() if first in passed]
        for first in _first_convolutions(model)
    ]


def feature_maps(model: keras.Model, inputs) -> dict[str, np.ndarray]:
    """Return the activations behind each convolution, by the name of the layer, in their order.

    Parameters
    ----------
    model : keras.Model
    inputs : numpy.ndarray or dict
        From `clips.network_inputs`.

    Returns
    -------
    dict of str to numpy.ndarray, float32, shape (n, rows, columns, channels)
        Where all scales pass through one convolution, (n * scales, ...), site by site.
    """
    layers = _map_layers(model)
    seen = keras.Model(model.input, [each.output for each in layers])
    activations = seen.predict_on_batch(inputs)
    # Of a single layer Keras gives the array itself.
    activations = activations if len(layers) > 1 else [activations]
    return {layer.name: np.asarray(one) for layer, one in zip(layers, activations, strict=True)}


def outer_maps(model: keras.Model, inputs) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the maps behind the first and behind the last convolution for the first clip.

    Returns
    -------
    list of (first, last), float32, each of shape (rows, columns, channels)
        One pair a scale.
    """
    seen = feature_maps(model, inputs)
    scales = scale_layers(model)
    if len(scales) > 1:
        return [(seen[names[0]][0], seen[names[-1]][0]) for names in scales]
    (names,) = scales
    # A first convolution that sees every scale has their maps one after another.
    clips = inputs["grey"] if isinstance(inputs, dict) else inputs
    count = len(seen[names[0]]) // len(clips)
    return [(seen[names[0]][scale], seen[names[-1]][scale]) for scale in range(count)]


def grad_cam(model: keras.Model, inputs, *, class_index: int) -> np.ndarray:
    """Return where the last feature maps support a class.

    The maps are weighted by how much the class's value before the softmax rises with them; what
    speaks against the class is left out. Descriptors and trees have no position in the picture
    and are not considered.

    Parameters
    ----------
    model : keras.Model
    inputs : numpy.ndarray or dict
        From `clips.network_inputs`.
    class_index : int

    Returns
    -------
    numpy.ndarray, float32, shape (n, size, size, scales), in [0, 1]
        The largest value of a site is 1, or all are 0. One scale for networks that join their
        scales before the last maps. Of networks that pool maps of several depths the mean.

    References
    ----------
    Selvaraju et al., Grad-CAM, arXiv 1610.02391.
    """
    last = model.get_layer("classes")
    stage = [each for each in model.layers if each.name == STAGE]
    columns = stage[0].groups[class_index] if stage else [class_index]
    weights_of_class = tf.gather(last.kernel, columns, axis=1)
    maps = _last_maps(model)
    seen = keras.Model(model.input, [*maps, last.input])
    with tf.GradientTape() as tape:
        *activations, features = seen(inputs, training=False)
        logit = tf.linalg.matvec(features, tf.reduce_mean(weights_of_class, axis=1))
    gradients = tape.gradient(logit, activations)
    grey = next(one for one in model.inputs if one.name == "grey")
    size, scales = grey.shape[1], grey.shape[3]
    heats = []
    for gradient, activation in zip(gradients, activations, strict=True):
        weights = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weights * activation, axis=-1, keepdims=True))
        heat = np.asarray(tf.image.resize(heat, (size, size)))
        # Networks that send all scales through the same convolutions have them one after another.
        heats.append(np.moveaxis(heat.reshape(len(features), -1, size, size), 1, -1))
    if heats[0].shape[-1] == scales:
        shown = np.mean(heats, axis=0)
    else:
        shown = np.concatenate(heats, axis=-1)
    largest = shown.max(axis=(1, 2, 3), keepdims=True)
    return np.divide(shown, largest, out=np.zeros_like(shown), where=largest > 0)


def embedding_network(model: keras.Model) -> keras.Model:
    """Return a network up to what its layer `classes` is given, (n, features)."""
    return keras.Model(model.input, model.get_layer("classes").input)


def _first_convolutions(model):
    """Return the convolutions with none before them."""
    return [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D)
        and not any(isinstance(each, keras.layers.Conv2D) for each in _ancestors(layer))
    ]


def _map_layers(model):
    # Some networks have the activation in the convolution itself.
    for kind in (keras.layers.Activation, keras.layers.Conv2D):
        layers = [each for each in model.layers if isinstance(each, kind)]
        layers = [each for each in layers if len(each.output.shape) == 4]
        if layers:
            break
    return layers


def _last_maps(model):
    """Return the maps, one a scale, that are pooled or flattened on the way to the classes.

    They are taken before any pooling: behind it they are coarser, down to a single pixel.
    """
    before = [model.get_layer("classes"), *_ancestors(model.get_layer("classes"))]
    maps = []
    for layer in model.layers:
        if not (isinstance(layer, _TO_VECTOR) and layer in before):
            continue
        one = layer.input
        while isinstance(one._keras_history.operation, _AFTER_MAPS):
            one = one._keras_history.operation.input
        if not any(one is each for each in maps):
            maps.append(one)
    return maps


def _ancestors(layer):
    """Return all layers whose output a layer depends on."""
    waiting, found = [layer], []
    while waiting:
        node = waiting.pop()._inbound_nodes[0]
        for tensor in node.input_tensors:
            operation = tensor._keras_history.operation
            if operation not in found:
                found.append(operation)
                if operation._inbound_nodes:
                    waiting.append(operation)
    return found
