"""Adapter of the rule embed_sites."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import DAMAGE_CLASSES
from damascene.classification.predict import cut_batches, load_network
from damascene.clips.network_input import network_inputs
from damascene.contracts.embedding import EMBEDDING, EMBEDDING_AGREEMENT
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.model_card import ModelCard
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, write_table, write_tsv
from damascene.evaluation.embedding import embedding_map, group_agreement
from damascene.evaluation.explanation import embed
from damascene.images.store import TiledImage
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
models = Path(params.models)
card = ModelCard.read(models / "damage.json")
model = load_network(models / "damage.keras", card=card, classes=DAMAGE_CLASSES)
# A study without sites gets the message of the map.
sites, features = [], [np.empty((0, model.get_layer("classes").input.shape[1]), np.float32)]
described = source.descriptors if card.descriptors else [None] * len(source.sites)
for path, image_path, descriptors in zip(source.sites, source.images, described, strict=True):
    table = read_table(path, SITES)
    sites.append(table[["panorama", "site_id", "predicted_class"]])
    with TiledImage(image_path) as image:
        features += [
            embed(model, network_inputs(clips, own, grey_scaling=card.grey_scaling))
            for clips, own in cut_batches(
                table,
                image,
                None if descriptors is None else read_descriptors(descriptors, table),
                card=card,
                batch_size=params.batch_size,
            )
        ]
placed, summary = embedding_map(
    np.concatenate(features), clusters=len(DAMAGE_CLASSES), seed=params.seed
)
table = pd.concat([pd.concat(sites, ignore_index=True), placed], axis=1)
write_table(table, snakemake.output.embedding, EMBEDDING)
agreement = group_agreement(table)
write_tsv(agreement.assign(**summary), snakemake.output.agreement, EMBEDDING_AGREEMENT)
logger.info("%d sites: %s\n%s", len(table), summary, agreement.to_string())
