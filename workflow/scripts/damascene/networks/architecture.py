"""The architecture of a network as Keras 2 and 3 store it: its layers in the order of the data."""

from collections.abc import Iterator

#: Layers of ours before the published networks: see `imagenet`.
ADDED_LAYERS = ("repeat", "imagenet_grey")
# Settings that change the answer, by the class of the layer; shapes of weights tell the others.
_SETTINGS = {
    "Conv2D": ("strides", "padding", "dilation_rate"),
    "SeparableConv2D": ("strides", "padding", "dilation_rate"),
    "DepthwiseConv2D": ("strides", "padding", "dilation_rate"),
    "BatchNormalization": ("epsilon",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "GlobalAveragePooling2D": (),
    "GlobalMaxPooling2D": (),
    "Dense": (),
    "Rescaling": ("scale", "offset"),
}
# Activations as layers of their own, with the setting that changes them and its usual value.
_ACTIVATIONS = {
    "ELU": ("elu", "alpha", 1.0),
    "ReLU": ("relu", "max_value", None),
    "Softmax": ("softmax", "axis", -1),
    "LeakyReLU": ("leaky_relu", "alpha", 0.3),
    "PReLU": ("prelu", "shared_axes", None),
}


def layers_in_order(config: dict, group: str = "") -> Iterator[tuple[tuple[str, str], str, dict]]:
    """Yield the layers of a network from the input to the output, nested models in their place.

    Where ways meet, they come in the order in which the layer takes them, so that two files of one
    network give the same order.

    Parameters
    ----------
    config : dict
        Of a model: `class_name` and `config`, as Keras stores it in JSON.
    group : str, optional
        Name of the outermost nested model that it lies in.

    Yields
    ------
    name : (str, str)
        Names of the outermost model or layer, and of the layer itself.
    class_name : str
    settings : dict

    Raises
    ------
    KeyError, TypeError
        If it is no architecture of Keras.
    """
    inner = config["config"]
    # Early versions store a list of layers.
    layers = inner if isinstance(inner, list) else inner["layers"]
    if "output_layers" in inner:
        layers = _by_data(layers, inner["output_layers"])
    for layer in layers:
        name = _name(layer)
        if "layers" in layer["config"] or layer["class_name"] == "Sequential":
            yield from layers_in_order(layer, group or name)
        else:
            yield (group or name, name), layer["class_name"], layer["config"]


def answer_settings(config: dict) -> list[str]:
    """Return what decides on the answer of a network beside its weights, step by step."""
    steps = []
    for (_, name), class_name, settings in layers_in_order(config):
        if name in ADDED_LAYERS:
            continue
        if class_name in _SETTINGS:
            words = [f"{key} {_plain(settings.get(key))}" for key in _SETTINGS[class_name]]
            steps.append(" ".join([class_name, *words]))
        if class_name in _ACTIVATIONS:
            activation, key, usual = _ACTIVATIONS[class_name]
            value = settings.get(key, usual)
            steps.append(activation if value == usual else f"{activation} {key} {_plain(value)}")
        elif settings.get("activation", "linear") != "linear":
            steps.append(str(settings["activation"]))
    return steps


def _by_data(layers, outputs):
    by_name = {_name(layer): layer for layer in layers}
    ordered = {}
    # A list of what is still to do: a network may be deeper than functions can call themselves.
    waiting = [(name, False) for name in reversed(list(_sources(outputs)))]
    while waiting:
        name, ready = waiting.pop()
        if ready:
            ordered[name] = by_name[name]
        elif name not in ordered:
            before = _sources(by_name[name].get("inbound_nodes", []))
            waiting.append((name, True))
            waiting += [(each, False) for each in reversed(list(before)) if each not in ordered]
    return ordered.values()


def _sources(nodes):
    """Yield the layers that nodes refer to, in the words of Keras 2 or 3."""
    if isinstance(nodes, dict):
        if "keras_history" in nodes:
            yield nodes["keras_history"][0]
        else:
            for each in nodes.values():
                yield from _sources(each)
    elif isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            yield nodes[0]
            nodes = nodes[3:]
        for each in nodes:
            yield from _sources(each)


def _name(layer):
    return layer.get("name") or layer["config"]["name"]


def _plain(value):
    return "x".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
