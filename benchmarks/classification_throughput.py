"""Clips a second in training and prediction beside plain Keras, and memory with many candidates.

    python benchmarks/classification_throughput.py [--candidates 50000] [--network compact]

Plain Keras is `fit` and `predict` of the same network on arrays that lie in memory ready for use;
the workflow reads, changes and scales its clips as it goes. Ratios count, as times depend on the
machine: medians of alternating rounds. Those of processor time hold on a busy machine, too.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene.classes import STAGE_CLASSES
from damascene.classification.batches import clip_reader
from damascene.classification.predict import predict_clips, predict_sites
from damascene.clips.network_input import network_inputs
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import check_table
from damascene.images.store import TiledImage, write_tiled
from damascene.learning.augmentation import augmentation_options
from damascene.learning.batches import Batches
from damascene.networks import network_named
from damascene.networks.build import build_network

ROUNDS = 5
EDGE_PX = 6144


def card_of(network, stage):
    """Return the card of an untrained network."""
    spec = network_named(network)
    scales = spec.scales
    return ModelCard(
        network=network,
        classes=STAGE_CLASSES[stage],
        input_px=spec.input_px,
        scales=scales,
        window="5 um",
        centre=0.5 if scales > 1 else None,
        # Frozen networks leave them to trees.
        descriptors=spec.descriptors and not spec.frozen,
        grey_scaling=spec.grey_scaling,
        average_flips=spec.average_flips,
        parameters=0,
        pixel_size_nm=(50, 50),
        versions={},
    )


def build(network, card):
    """Return the untrained network of a card."""
    return build_network(
        network,
        class_count=len(card.classes),
        seed=0,
        scales=card.scales,
        descriptor_count=len(DESCRIPTOR_NAMES) if card.descriptors else 0,
    )


def throughput(network, *, count, batch_size):
    """Print clips a second of plain Keras and of the workflow, in training and prediction."""
    card = card_of(network, "damage")
    rng = np.random.default_rng(0)
    size = card.input_px
    clips = rng.integers(0, 256, (count, size, size, card.scales), dtype=np.uint8)
    described = None
    if card.descriptors:
        described = rng.normal(0, 1, (count, len(DESCRIPTOR_NAMES))).astype(np.float32)
    ready = network_inputs(clips, described, grey_scaling=card.grey_scaling)
    targets = np.eye(4, dtype=np.float32)[np.arange(count) % 4]
    model = build(network, card)
    model.compile("adam", "categorical_crossentropy")
    single = card.model_copy(update={"average_flips": False})
    batches = {
        name: Batches(
            read=clip_reader(
                clips,
                described,
                targets,
                grey_scaling=card.grey_scaling,
                augmentation=augmentation_options(name, rotation_deg=15),
            ),
            rows=np.arange(count),
            batch_size=batch_size,
            seed=1,
        )
        for name in ("none", "flips", "mild", "strong")
    }
    ways = {
        "predict: keras": lambda: model.predict(ready, batch_size=64, verbose=0),
        "predict: workflow": lambda: predict_clips(
            model, clips, described, card=single, batch_size=64
        ),
        "fit: keras": lambda: model.fit(ready, targets, batch_size=batch_size, verbose=0),
        **{
            f"fit: workflow, augmentation {name}": lambda each=each: model.fit(each, verbose=0)
            for name, each in batches.items()
        },
    }
    # Of the clock, and of the processor.
    seconds = {name: [] for name in ways}
    for round_number in range(ROUNDS + 1):
        for name, way in ways.items():
            started = np.array([time.perf_counter(), time.process_time()])
            way()
            # The first round compiles.
            if round_number:
                seconds[name].append([time.perf_counter(), time.process_time()] - started)
    for name, times in seconds.items():
        plain = seconds[f"{name.split(':')[0]}: keras"]
        clock, processor = np.median(np.array(plain) / np.array(times), axis=0)
        print(
            f"{name:38s} {count / np.median(times, axis=0)[0]:8.0f} clips/s, {clock:.2f} of plain "
            f"Keras, {processor:.2f} by processor time"
        )


def memory(network, *, count):
    """Print time and largest memory of a process that classifies many candidates."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.ome.tif"
        pixels = rng.integers(0, 256, (EDGE_PX, EDGE_PX), dtype=np.uint8)
        write_tiled(path, [pixels], shape=pixels.shape, pixel_size_nm=50, name="p")
        del pixels
        options = {"batch_size": 64, "inclusion_threshold": 0.5, "damage_threshold": 0.4}
        for stage in STAGE_CLASSES:
            card = card_of(network, stage)
            model = Path(folder) / f"{stage}.keras"
            build(network, card).save(model)
            options |= {f"{stage}_model_path": model, f"{stage}_card": card}
        table = pd.DataFrame({name: np.ones(count) for name in CANDIDATES.columns})
        table["panorama"], table["site_id"] = "p", np.arange(count)
        table["y_px"] = np.sort(rng.uniform(0, EDGE_PX - 1, count))
        table["x_px"] = rng.uniform(0, EDGE_PX - 1, count)
        candidates = check_table(table, CANDIDATES, source="benchmark")
        described = np.zeros((count, len(DESCRIPTOR_NAMES)), np.float32)
        started = time.perf_counter()
        with TiledImage(path) as image:
            sites = predict_sites(candidates, image, described, **options)
        seconds = time.perf_counter() - started
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(sites)} candidates, both networks: {seconds:.0f} s, at most {largest:.2f} GiB")


def main():
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--clips", type=int, default=1024, help="clips of the throughput")
    parser.add_argument("--candidates", type=int, default=0, help="measure memory with so many")
    given = parser.parse_args()
    keras.utils.set_random_seed(0)
    if given.candidates:
        memory(given.network, count=given.candidates)
    else:
        throughput(given.network, count=given.clips, batch_size=16)


if __name__ == "__main__":
    main()
