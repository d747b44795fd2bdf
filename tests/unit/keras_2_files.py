"""Writes files of Keras 2 into the folder that is named: run by tests in a process of its own.

All files of a stage hold the same weights, in models that were put together in different ways.
"""

import sys
from pathlib import Path

import h5py
import numpy as np
import tf_keras as keras

folder = Path(sys.argv[1])
layers = keras.layers
rng = np.random.default_rng(0)


def eeracn(*, first=()):
    """Return the layers of the damage network; `first` are options of the first convolution."""
    blocks = [
        [(5, 192), (1, 160), (1, 96)],
        [(5, 192), (1, 192), (1, 192)],
        [(3, 192), (1, 192), (1, 10)],
    ]
    chain = []
    for number, block in enumerate(blocks):
        for kernel, filters in block:
            options = dict(first) if not chain else {}
            chain.append(layers.Conv2D(filters, kernel, **options))
            chain += [layers.BatchNormalization(), layers.ELU()]
        if number < 2:
            chain += [layers.MaxPooling2D(3, strides=2), layers.Dropout(0.5)]
    chain += [layers.AveragePooling2D(8, strides=1, padding="same"), layers.Flatten()]
    return [*chain, layers.Dense(4, activation="softmax")]


def inception(**options):
    """Return the base of the inclusion network."""
    shape = (250, 250, 3)
    return keras.applications.InceptionV3(
        include_top=False, weights=None, input_shape=shape, **options
    )


def through(inputs, chain):
    for layer in chain:
        inputs = layer(inputs)
    return inputs


def filled(model):
    """Give statistics of batch normalisation that are not those of an untrained layer."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            *given, mean, variance = layer.get_weights()
            mean, variance = rng.normal(0, 0.1, mean.shape), rng.uniform(0.3, 0.9, mean.shape)
            layer.set_weights([*given, mean, variance])
    return model


def alike(chain, other):
    """Copy weights from one list of layers to another."""
    for one, two in zip(chain, other, strict=True):
        two.set_weights(one.get_weights())


def write_clips(name, model, size):
    """Write clips that differ in brightness and stripes, and what the model says of them."""
    stripes = np.sin(np.arange(size) / np.array([2, 7, 30])[:, None])[:, None, :]
    clips = rng.normal(np.array([40, 120, 200])[:, None, None] + 50 * stripes, 5, (3, size, size))
    clips = clips.clip(0, 255).astype(np.uint8)
    scaled = np.repeat(clips[..., None].astype("float32") * 2 / 255 - 1, 3, axis=-1)
    predicted = model.predict(scaled, verbose=0)
    np.savez(folder / f"{name}.npz", clips=clips, predicted=predicted)
    return scaled, predicted


def reordered(source, target, *, parts):
    """Copy a file with its groups in another order, and with long lists of names in parts."""
    with h5py.File(folder / source) as old, h5py.File(folder / target, "w") as new:
        for key, value in old.attrs.items():
            new.attrs[key] = value
        place = old.get("model_weights", old)
        copy = new.create_group("model_weights") if "model_weights" in old else new
        names = list(place.attrs["layer_names"])[::-1]
        for name in names:
            place.copy(name, copy)
            held = copy[name].attrs["weight_names"][::-1]
            held = [each.encode() if isinstance(each, str) else each for each in held]
            copy[name].attrs["weight_names"] = held
        if parts:
            for number, few in enumerate(np.array_split(names, 3)):
                copy.attrs[f"layer_names{number}"] = [str(each) for each in few]
        else:
            copy.attrs["layer_names"] = [each.encode() for each in names]


def write_damage():
    reference = eeracn()
    inputs = layers.Input((100, 100, 3))
    flat = filled(keras.Model(inputs, through(inputs, reference)))
    scaled, expected = write_clips("damage", flat, 100)
    flat.save(folder / "damage.h5")
    flat.save_weights(folder / "damage_weights.h5")
    flat.save_weights(folder / "damage_checkpoint")
    reordered("damage.h5", "damage_reordered.h5", parts=True)
    reordered("damage_weights.h5", "damage_weights_reordered.h5", parts=False)
    # From here on, numbers in names go on where the first network ended.
    chain = eeracn()
    explicit = keras.Sequential([layers.InputLayer((100, 100, 3)), *chain])
    alike(reference, chain)
    explicit.compile("adam", "categorical_crossentropy")
    explicit.fit(scaled, np.eye(4)[[0, 1, 2]], epochs=1, verbose=0)
    alike(reference, chain)
    models = {"damage_trained.h5": explicit, "damage_saved": explicit}
    models |= {"damage_keras_2.keras": explicit, "damage_trained.weights.h5": explicit}
    chain = eeracn(first={"input_shape": (100, 100, 3)})
    models["damage_sequential.h5"] = keras.Sequential(chain)
    alike(reference, chain)
    # Two levels deep, with the head in a model of its own, and the first layers frozen.
    chain = eeracn()
    inner = layers.Input((100, 100, 3))
    base = keras.Model(inner, through(inner, chain[:-2]), name="base")
    for layer in base.layers[:4]:
        layer.trainable = False
    outer = layers.Input((100, 100, 3))
    nested = keras.Sequential([keras.Sequential([base]), keras.Sequential(chain[-2:])])
    deep = keras.Model(outer, nested(outer))
    alike(reference, chain)
    models |= {"damage_deep.h5": deep, "damage_deep_weights.h5": deep, "damage_deep": deep}
    for name, model in models.items():
        np.testing.assert_allclose(model.predict(scaled, verbose=0), expected, atol=1e-6)
        if "weights" in name:
            model.save_weights(folder / name)
        else:
            model.save(folder / name)
    # The shapes of all weights are the same, the answers are not.
    chain = eeracn()
    for index, layer in enumerate(chain):
        if isinstance(layer, layers.ELU):
            chain[index] = layers.ReLU()
    keras.Sequential([layers.InputLayer((100, 100, 3)), *chain]).save(folder / "other_relu.h5")


def write_inclusion():
    flat = filled(inception(pooling="avg"))
    head = layers.Dense(2, activation="softmax")
    flat = keras.Model(flat.input, head(flat.output))
    _, expected = write_clips("inclusion", flat, 250)
    flat.save(folder / "inclusion.h5")
    # As the printed summary of the public file shows it.
    base, new_head = inception(), layers.Dense(2, activation="softmax")
    nested = keras.Sequential([base, layers.GlobalAveragePooling2D(), new_head])
    assert base.count_params() == 21_802_784 and new_head.count_params() == 4_098
    alike([*flat.layers[:-2], head], [*base.layers, new_head])
    with np.load(folder / "inclusion.npz") as stored:
        scaled = np.repeat(stored["clips"][..., None].astype("float32") * 2 / 255 - 1, 3, axis=-1)
    np.testing.assert_allclose(nested.predict(scaled, verbose=0), expected, atol=1e-6)
    nested.save(folder / "inclusion_nested.h5")
    # Its graph of objects is that of a SavedModel, which takes longer to write.
    nested.save_weights(folder / "inclusion_checkpoint")
    # Frozen layers come last in a list of weights alone.
    for layer in base.layers[:10]:
        layer.trainable = False
    nested.save_weights(folder / "inclusion_nested_weights.h5")
    reordered("inclusion_nested.h5", "inclusion_nested_reordered.h5", parts=True)


keras.utils.set_random_seed(5)
write_damage()
write_inclusion()
