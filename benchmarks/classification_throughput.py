"""Clips a second in training and prediction beside plain Keras, or sites a second by part.

    python benchmarks/classification_throughput.py [--network compact]
    python benchmarks/classification_throughput.py --candidates 50000 [--threads 2]

Plain Keras is `fit` and `predict` of the same network on arrays that lie in memory ready for use;
the workflow reads, changes and scales its clips as it goes. Ratios count, as times depend on the
machine: medians of alternating rounds. Those of processor time hold on a busy machine, too.
"""

import argparse
import functools
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pandas as pd

from damascene.classes import SITE_CLASSES, STAGE_CLASSES
from damascene.classification.batches import clip_reader
from damascene.classification.look import shared_looks
from damascene.classification.predict import (
    cut_batches,
    predict_clips,
    predict_look,
    predict_sites,
    with_confidence,
)
from damascene.classification.random_forest import with_random_forest
from damascene.clips.network_input import network_inputs
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.candidate_runs import CANDIDATE_RUNS
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.descriptors import DESCRIPTOR_NAMES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import check_table
from damascene.descriptors.sites import describe_sites
from damascene.images.store import TiledImage, write_tiled
from damascene.learning.augmentation import augmentation_options
from damascene.learning.batches import Batches
from damascene.learning.device import choose_device, sites_at_once
from damascene.networks import network_named
from damascene.networks.build import build_network

ROUNDS = 5
EDGE_PX = 6144
# Of the made candidates; labels that grew the trees; sites on which a part is timed alone.
RADIUS_PX, LABELS, PART_SITES = 6, 480, 1024


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


def parts(network, *, count):
    """Print what each part of the way from candidate to class takes, and the largest memory."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.ome.tif"
        image = rng.integers(0, 256, (EDGE_PX, EDGE_PX), dtype=np.uint8)
        write_tiled(path, [image], shape=image.shape, pixel_size_nm=50, name="p")
        del image
        options = {"batch_size": sites_at_once(), "inclusion_threshold": 0.5}
        options |= {"damage_threshold": 0.4, "calibration": calibration()}
        networks = {}
        for stage in STAGE_CLASSES:
            card, model_path = card_of(network, stage), Path(folder) / f"{stage}.keras"
            model = build(network, card)
            if network_named(network).frozen:
                model, card = with_trees(model, rng), card.model_copy(update={"descriptors": True})
            model.save(model_path)
            networks[stage] = (model, card)
            options |= {f"{stage}_model_path": model_path, f"{stage}_card": card}
        candidates = made_candidates(count, rng)
        described = rng.normal(0, 1, (count, len(DESCRIPTOR_NAMES))).astype(np.float32)
        some = slice(PART_SITES)
        with TiledImage(path, by_windows=True) as opened:
            # The first batches compile.
            predict_sites(candidates[:64], opened, described[:64], **options)
            sites = timed(
                "all but descriptors",
                lambda: predict_sites(candidates, opened, described, **options),
                count=count,
            )
            largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"{count} candidates: at most {largest:.2f} GiB")
            few = candidates[some]
            card = networks["damage"][1]
            cut = {"card": card, "batch_size": options["batch_size"]}
            clips = timed(
                "cutting, for one look",
                lambda: [each for each, _ in cut_batches(few, opened, **cut)],
                count=len(few),
            )
            given = np.concatenate(clips), described[some]
            for look in shared_looks(networks):
                options = {"batch_size": cut["batch_size"]}
                predict_look(look, *(each[:64] for each in given), **options)
                timed(
                    "networks, " + " and ".join(look.heads),
                    functools.partial(predict_look, look, *given, **options),
                    count=len(few),
                )
            timed("classes and sets", lambda: with_confidence(sites, calibration()), count=count)
            timed(
                "descriptors",
                lambda: describe_sites(opened, few, runs=made_runs(few)),
                count=len(few),
            )


def timed(name, work, *, count):
    """Do some work and print what it takes a site."""
    started = np.array([time.perf_counter(), time.process_time()])
    done = work()
    clock, processor = ([time.perf_counter(), time.process_time()] - started) / count
    print(
        f"{name:32s} {1 / clock:7.0f} sites/s; {clock * 1e3:.2f} ms a site, "
        f"{processor * 1e3:.2f} of a core"
    )
    return done


def with_trees(model, rng):
    """Return a frozen network with the trees that a training would add."""
    classes = model.output_shape[1]
    return with_random_forest(
        model,
        rng.normal(0, 1, (LABELS, len(DESCRIPTOR_NAMES))).astype(np.float32),
        np.eye(classes)[rng.integers(0, classes, LABELS)],
        simulated=None,
        simulated_weight=0,
        seed=0,
    )


def calibration():
    """Return one that puts several classes into a set."""
    of_class = {"labels": LABELS // 5, "groups": LABELS // 10, "share": 0.2, "set_threshold": 0.15}
    return Calibration(
        temperature=1.5,
        tested="all labels",
        labels=LABELS,
        groups=LABELS // 2,
        coverage=0.9,
        classes=dict.fromkeys(SITE_CLASSES, of_class),
        versions={},
    )


def made_candidates(count, rng):
    """Return candidates at random places, from top to bottom."""
    table = pd.DataFrame({name: np.ones(count) for name in CANDIDATES.columns})
    table["panorama"], table["site_id"] = "p", np.arange(count)
    table[["touches_border", "touches_mask"]] = False
    table["y_px"] = np.sort(rng.uniform(RADIUS_PX, EDGE_PX - 1 - RADIUS_PX, count))
    table["x_px"] = rng.uniform(RADIUS_PX, EDGE_PX - 1 - RADIUS_PX, count)
    return check_table(table, CANDIDATES, source="benchmark")


def made_runs(candidates):
    """Return the pixels of squares round the candidates."""
    rows = np.arange(-RADIUS_PX, RADIUS_PX + 1)
    y_px = candidates["y_px"].to_numpy().astype(int)[:, None] + rows
    left_px = np.repeat(candidates["x_px"].to_numpy().astype(int) - RADIUS_PX, len(rows))
    table = pd.DataFrame(
        {
            "site_id": np.repeat(candidates["site_id"].to_numpy(), len(rows)),
            "y_px": y_px.ravel(),
            "left_px": left_px,
            "right_px": left_px + 2 * RADIUS_PX,
        }
    )
    return check_table(table, CANDIDATE_RUNS, source="benchmark")


def main():
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--clips", type=int, default=1024, help="clips of the throughput")
    parser.add_argument(
        "--candidates", type=int, default=0, help="classify so many: time by part, and memory"
    )
    parser.add_argument("--threads", type=int, default=2, help="with --candidates")
    given = parser.parse_args()
    if given.candidates:
        choose_device(gpu=0, threads=given.threads)
        parts(given.network, count=given.candidates)
    else:
        keras.utils.set_random_seed(0)
        throughput(given.network, count=given.clips, batch_size=16)


if __name__ == "__main__":
    main()
