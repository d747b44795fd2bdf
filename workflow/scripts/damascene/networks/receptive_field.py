"""How far a network sees: the pixels of an image on which one pixel of its answer may depend."""

import math
import os
from fractions import Fraction

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

# Layers that look at one place alone.
_POINTWISE = (
    keras.layers.Activation,
    keras.layers.Add,
    keras.layers.Average,
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.Maximum,
    keras.layers.Multiply,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.Softmax,
    keras.layers.SpatialDropout2D,
    keras.layers.Subtract,
)
# A place far from the borders of any image, so that no range is cut.
_FAR = 2**20


def halo_px(model: keras.Model) -> int:
    """Return the margin that makes an answer independent of what is beyond it.

    Returns
    -------
    int
        `receptive_radius`, rounded up to a multiple of `multiple_px`.
    """
    multiple = multiple_px(model)
    return math.ceil(receptive_radius(model) / multiple) * multiple


def multiple_px(model: keras.Model) -> int:
    """Return the number of pixels of which the edges of images must be multiples: all strides."""
    steps = {id(model.inputs[0]): Fraction(1)}
    for layer in model.layers:
        if id(layer.output) not in steps:
            given = layer.input if isinstance(layer.input, list) else [layer.input]
            steps[id(layer.output)] = steps[id(given[0])] * _step(layer)
    return int(max(steps.values()))


def receptive_radius(model: keras.Model) -> int:
    """Return how far from a pixel of the answer the pixels lie on which it depends.

    Each layer says which places of its input one place of its output depends on; these ranges are
    followed from the answer back to the image along every way. As a stride makes neighbouring
    pixels see differently far, the farthest of all pixels of one period counts.

    Parameters
    ----------
    model : keras.Model
        Takes images and answers with images of the same size.

    Raises
    ------
    ValueError
        If the network holds a layer whose reach is not known, such as a normalisation over the
        whole image.
    """
    multiple = multiple_px(model)
    farthest = 0
    for pixel in range(multiple):
        place = pixel + multiple * _FAR
        low, high = _pixels_behind(model, model.outputs[0], place)
        farthest = max(farthest, place - low, high - place)
    return farthest


def receptive_fields(model: keras.Model) -> dict[str, int]:
    """Return the edge of the square of pixels on which one place of each layer depends.

    Padding counts as pixels, so that the edge may be larger than the image.

    Parameters
    ----------
    model : keras.Model
        A network that classifies one image; its layers may branch.

    Returns
    -------
    dict of str to int
        By the names of the layers that keep places. The first layer without them, such as one
        that flattens, and all after it are left out: they see the whole image.
    """
    edges, with_places = {}, {id(model.inputs[0])}
    for layer in model.layers[1:]:
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        if len(layer.output.shape) < 4 or any(id(each) not in with_places for each in given):
            continue
        with_places.add(id(layer.output))
        low, high = _pixels_behind(model, layer.output, _FAR)
        edges[layer.name] = high - low + 1
    return edges


def _pixels_behind(model, answer, place):
    """Return the first and the last pixel on which a place of a layer depends."""
    # Layers in the order of the data, so that all that depends on one comes after it.
    makers = {id(layer.output): layer for layer in model.layers}
    image = id(model.inputs[0])
    needed = {id(answer): (place, place)}
    for made in reversed(list(makers)):
        if made not in needed or made == image:
            continue
        layer = makers[made]
        first, last = _range_before(layer, *needed[made])
        given = layer.input if isinstance(layer.input, list) else [layer.input]
        for tensor in given:
            low, high = needed.get(id(tensor), (first, last))
            needed[id(tensor)] = (min(low, first), max(high, last))
    return needed[image]


def _step(layer):
    """Return how many places of its input lie between two places of a layer."""
    settings = layer.get_config()
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return Fraction(1, settings["strides"][0])
    if isinstance(layer, keras.layers.UpSampling2D):
        return Fraction(1, settings["size"][0])
    return settings["strides"][0] if "strides" in settings else 1


def _range_before(layer, first, last):
    """Return the first and the last place that a range of places of a layer depends on."""
    if isinstance(layer, _POINTWISE):
        return first, last
    settings = layer.get_config()
    if isinstance(layer, keras.layers.UpSampling2D):
        factor = settings["size"][0]
        # Linear interpolation reaches one place farther.
        more = settings["interpolation"] != "nearest"
        return first // factor - more, last // factor + more
    if isinstance(layer, keras.layers.Conv2DTranspose):
        kernel, stride = settings["kernel_size"][0], settings["strides"][0]
        before = max(kernel - stride, 0) // 2
        return -((kernel - 1 - first - before) // stride), (last + before) // stride
    if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.Conv2D):
        dilation = settings["dilation_rate"]
        dilation = dilation if isinstance(dilation, int) else dilation[0]
        kernel = (settings["kernel_size"][0] - 1) * dilation + 1
    elif isinstance(layer, keras.layers.MaxPooling2D | keras.layers.AveragePooling2D):
        kernel = settings["pool_size"][0]
    else:
        raise ValueError(f"it is not known how far the layer {layer.name} sees")
    stride = settings["strides"][0]
    before = max(kernel - stride, 0) // 2 if settings["padding"] == "same" else 0
    return first * stride - before, last * stride - before + kernel - 1
