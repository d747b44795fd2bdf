"""Weights in files of Keras 2 and 3, whatever model they were saved from.

A published network may be stored flat, as a `Sequential` of whole models, or deeper still, and its
layers carry the numbers that the session gave them in which it was built. So layers are brought
together by their place in the network, not by their names:

- a file with its architecture: by the way of the data from the input to the output;
- weights alone whose layers are numbered (`conv2d_94`): by these numbers, in which layers are made;
- any other: by the order of the file.

Shapes are compared for each layer, and settings that change the answer where the architecture is
there (strides, activations, pooling and so on).
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from damascene.networks.architecture import answer_settings, layers_in_order

# Variables of a layer in the order of Keras; any other follows.
_VARIABLES = (
    *("kernel", "depthwise_kernel", "pointwise_kernel", "gamma", "beta", "bias"),
    *("moving_mean", "moving_variance"),
)
# Groups of a file of Keras 3 in which layers lie.
_CONTAINERS = ("layers/", "_layer_checkpoint_dependencies/")


@dataclass(frozen=True, kw_only=True)
class StoredLayer:
    """The weights of one layer, in the order of Keras; `name` may be another in each session."""

    name: str
    weights: tuple[np.ndarray, ...]

    @property
    def kind(self) -> tuple[int, ...]:
        """Number of axes of each weight, by which kinds of layers are told apart."""
        return tuple(each.ndim for each in self.weights)


@dataclass(frozen=True, kw_only=True)
class StoredNetwork:
    """What is known of a stored network.

    Attributes
    ----------
    layers : list of StoredLayer
        Those with weights.
    order : {"data", "file", "numbers"}
        They come in the order of the data, or of the file; or the numbers in their names tell.
    settings : list of str or None
        From `architecture.answer_settings`; None without an architecture.
    """

    layers: list[StoredLayer]
    order: Literal["data", "file", "numbers"] = "file"
    settings: list[str] | None = None


def read_stored(path: Path) -> StoredNetwork:
    """Read the weights in a file or folder of Keras.

    Parameters
    ----------
    path : pathlib.Path
        `.h5` of Keras 2 or 3, a model or weights alone; `.keras`; a SavedModel, which is a folder;
        or a checkpoint of TensorFlow (`.index`).

    Raises
    ------
    ValueError, KeyError, OSError
        If it is none of these, or damaged.
    """
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ValueError("it is a folder without a file saved_model.pb")
        return StoredNetwork(layers=_checkpoint_layers(path / "variables/variables"))
    if path.suffix == ".index":
        return StoredNetwork(layers=_checkpoint_layers(path.with_suffix("")))
    if zipfile.is_zipfile(path):
        return _read_archive(path)
    if not h5py.is_hdf5(path):
        raise ValueError(
            "it is not a file of Keras, or damaged; a network can be read from a .h5 or .keras "
            "file, or from the folder of a SavedModel (the one that holds saved_model.pb)"
        )
    with h5py.File(path) as file:
        group = file.get("model_weights", file)
        if not _has_attribute(group, "layer_names"):
            return StoredNetwork(layers=_layers_of_keras_3(file))
        layers = _layers_of_keras_2(group)
        config = file.attrs.get("model_config")
        return _in_order(layers, None if config is None else json.loads(config))


def pair_layers(stored: StoredNetwork, model, *, top: bool = True) -> list[tuple]:
    """Return the layers of a network with the weights that a file holds for each.

    Parameters
    ----------
    stored : StoredNetwork
    model : keras.Model
        Flat, as those of `build.build_network` are.
    top : bool, optional
        Whether the file holds the last layers, too.

    Returns
    -------
    list of (keras.Layer, tuple of numpy.ndarray)

    Raises
    ------
    ValueError
        If the file is of another network.
    """
    targets = [layer for layer in model.layers if layer.weights]
    if not top:
        # The base comes first; what follows is new.
        targets = targets[: len(stored.layers)]
    if len(stored.layers) != len(targets):
        raise ValueError(
            f"it holds {len(stored.layers)} layers with weights, the network has {len(targets)}"
        )
    architecture = json.loads(model.to_json())
    if stored.order == "data":
        order = [name for name, _, _ in layers_in_order(architecture)]
        targets.sort(key=lambda layer: order.index((layer.name, layer.name)))
    pairs = []
    kinds = {tuple(len(each.shape) for each in layer.weights) for layer in targets}
    for kind in sorted(kinds):
        given = [layer for layer in stored.layers if layer.kind == kind]
        needed = [
            layer for layer in targets if tuple(len(each.shape) for each in layer.weights) == kind
        ]
        if len(given) != len(needed):
            raise ValueError(
                f"it holds {len(given)} layers like {needed[0].name}, the network has {len(needed)}"
            )
        # Public weights without top are in the order of the file since before there were numbers.
        if top and stored.order == "numbers" and _numbered(given) and _numbered(needed):
            given, needed = (sorted(each, key=_number) for each in (given, needed))
        pairs += zip(needed, [layer.weights for layer in given], strict=True)
    for layer, weights in pairs:
        expected = [tuple(each.shape) for each in layer.weights]
        if expected != [each.shape for each in weights]:
            raise ValueError(
                f"layer {layer.name} needs weights of shape {expected}, not "
                f"{[each.shape for each in weights]}"
            )
    if top and stored.settings is not None:
        _require_equal(stored.settings, answer_settings(architecture))
    return pairs


def _require_equal(given, needed):
    for number, (one, other) in enumerate(zip(given, needed, strict=False), 1):
        if one != other:
            raise ValueError(f"its step {number} is {one}, that of the network is {other}")
    if len(given) != len(needed):
        raise ValueError(f"it has {len(given)} steps, the network {len(needed)}")


def _numbered(layers):
    """Say whether the names of layers differ by the numbers that Keras gives them alone."""
    return len({re.sub(r"_\d+$", "", _leaf(layer)) for layer in layers}) == 1


def _number(layer):
    found = re.search(r"_(\d+)$", _leaf(layer))
    return int(found[1]) if found else 0


def _leaf(layer):
    return layer.name.rpartition("/")[2]


def _in_order(layers, config):
    """Put the layers of an `.h5` file into the order of the data, if its architecture tells it."""
    if config is None:
        return StoredNetwork(layers=layers, order="numbers")
    order = {name: place for place, (name, _, _) in enumerate(layers_in_order(config))}
    places = [_place(layer.name, order) for layer in layers]
    if None in places or len(set(places)) < len(places):
        raise ValueError("its weights do not belong to the architecture that is stored with them")
    ordered = [layers[index] for index in np.argsort(places)]
    return StoredNetwork(layers=ordered, order="data", settings=answer_settings(config))


def _place(name, order):
    group, _, leaf = name.partition("/")
    # The name of a layer may have been changed after its weights got theirs.
    return order.get((group, leaf), order.get((group, group)))


def _layers_of_keras_2(group):
    """Return the layers of a group of Keras 2, where a nested model is one group."""
    layers = []
    for name in _attribute(group, "layer_names"):
        members = {}
        for each in _attribute(group[name], "weight_names"):
            owner, _, variable = each.rpartition("/")
            members.setdefault(owner, {})[variable.split(":")[0]] = np.asarray(group[name][each])
        # The weights of a nested model come with all trainable ones first.
        layers += [
            StoredLayer(
                name=f"{name}/{owner.rpartition('/')[2] or name}",
                weights=tuple(found[key] for key in sorted(found, key=_rank)),
            )
            for owner, found in members.items()
        ]
    return layers


def _rank(variable):
    return _VARIABLES.index(variable) if variable in _VARIABLES else len(_VARIABLES)


def _has_attribute(group, name):
    return name in group.attrs or f"{name}0" in group.attrs


def _attribute(group, name):
    """Return a list of names; a long one is stored in parts."""
    if name in group.attrs:
        parts = [group.attrs[name]]
    elif f"{name}0" not in group.attrs:
        raise KeyError(f"{group.name} has no {name}")
    else:
        count = sum(re.fullmatch(rf"{name}\d+", each) is not None for each in group.attrs)
        parts = [group.attrs[f"{name}{index}"] for index in range(count)]
    return [
        each.decode() if isinstance(each, bytes) else str(each) for part in parts for each in part
    ]


def _layers_of_keras_3(file):
    """Return the layers of a file of Keras 3, which names them by their class and their order."""
    found = []

    def visit(path, node):
        if path.startswith(_CONTAINERS) and path.endswith("/vars") and isinstance(node, h5py.Group):
            values = [np.asarray(node[key]) for key in sorted(node, key=int)]
            # Dropout stores the state of its random numbers.
            values = [each for each in values if np.issubdtype(each.dtype, np.floating)]
            if values:
                found.append(StoredLayer(name=path, weights=tuple(values)))

    file.visititems(visit)
    if not found:
        raise ValueError("it holds no layers of Keras")
    return sorted(found, key=lambda layer: _natural(layer.name))


def _natural(path):
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path)]


def _read_archive(path):
    """Read a `.keras` file; that of Keras 2 cannot be loaded by Keras 3, but its parts can."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:
        return StoredNetwork(layers=_layers_of_keras_3(file), settings=answer_settings(config))


def _checkpoint_layers(prefix):
    """Return the layers of a checkpoint of TensorFlow, found by its graph of objects."""
    # Loaded by what needs it alone.
    import tensorflow as tf
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    try:
        reader = tf.train.load_checkpoint(str(prefix))
    except (tf.errors.OpError, ValueError) as error:
        raise ValueError(f"its variables cannot be read ({error})") from error
    graph = TrackableObjectGraph.FromString(reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH"))
    layers = []
    for name, node in _weighted_nodes(graph, 0):
        variables = {
            child.local_name: reader.get_tensor(attribute.checkpoint_key)
            for child in node.children
            if child.local_name in _VARIABLES
            for attribute in graph.nodes[child.node_id].attributes
            if attribute.name == "VARIABLE_VALUE"
        }
        weights = tuple(variables[key] for key in sorted(variables, key=_rank))
        layers.append(StoredLayer(name=name, weights=weights))
    if not layers:
        raise ValueError("it was not saved from a model of Keras 2")
    return layers


def _weighted_nodes(graph, index, name="") -> Iterator[tuple]:
    """Yield the layers with weights below an object, nested ones in their place."""
    children = {
        int(child.local_name.removeprefix("layer_with_weights-")): child.node_id
        for child in graph.nodes[index].children
        if child.local_name.startswith("layer_with_weights-")
    }
    if not children and index:
        yield name, graph.nodes[index]
    for number in sorted(children):
        yield from _weighted_nodes(graph, children[number], f"{name}/{number}")
