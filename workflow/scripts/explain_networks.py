"""Adapter of the rule explain_networks."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from pathlib import Path

import numpy as np

from damascene.classes import STAGE_CLASSES
from damascene.classification.predict import load_network, predict_clips
from damascene.classification.targets import stage_labels
from damascene.clips.network_input import network_inputs
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.labels import SPLIT
from damascene.contracts.model_card import ModelCard
from damascene.contracts.table import read_table
from damascene.evaluation.explanation import (
    first_filters,
    grad_cam,
    outer_maps,
)
from damascene.figures.explanation import draw_attention, draw_feature_maps, draw_filters
from damascene.figures.style import save_figure
from damascene.learning.device import choose_device
from damascene.units import length_px

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, output = snakemake.input, snakemake.output
classes = STAGE_CLASSES[snakemake.wildcards.stage]
path = Path(snakemake.params.models) / f"{snakemake.wildcards.stage}.keras"
card = ModelCard.read(path.with_suffix(".json"))
model = load_network(path, card=card, classes=classes)
split = read_table(source.split, SPLIT)
labels = stage_labels(split["label"], classes=classes)
clips = np.load(source.clips, mmap_mode="r")
descriptors = read_descriptors(source.descriptors, split) if card.descriptors else None
probabilities = predict_clips(model, clips, descriptors, card=card, batch_size=64)
examples, maps, first_clips = {}, {}, {}
for index, name in enumerate(classes):
    # The two that the network takes for the clearest of their class.
    rows = np.flatnonzero(labels == name)
    rows = rows[np.argsort(-probabilities[rows, index], kind="stable")[:2]]
    if not len(rows):
        continue
    inputs = network_inputs(
        clips[rows],
        None if descriptors is None else descriptors[rows],
        grey_scaling=card.grey_scaling,
    )
    heat = grad_cam(model, inputs, class_index=index)
    captions = [f"p = {value:.2f}" for value in probabilities[rows, index]]
    examples[name] = (clips[rows], heat, captions)
    maps[name] = outer_maps(model, inputs)
    first_clips[name] = clips[rows[0]]
pixel_nm = card.pixel_size_nm[0]
window_um = length_px(card.window, pixel_size_nm=pixel_nm) * pixel_nm / 1000
names = [f"window of {window_um:.3g} µm"]
if card.centre:
    names.append(f"its centre of {window_um * card.centre:.3g} µm")
filters = first_filters(model)
if len(filters) < len(names):
    names = [" and ".join(names)]
figures = {
    "filters": draw_filters(filters, names=names),
    "attention": draw_attention(examples, window_um=window_um, centre=card.centre),
    "feature_maps": draw_feature_maps(first_clips, maps),
}
for name, figure in figures.items():
    save_figure(figure, output[f"{name}_svg"], output[f"{name}_png"])
