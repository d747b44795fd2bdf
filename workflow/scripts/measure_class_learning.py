"""Adapter of the rule measure_class_learning."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

import numpy as np

from damascene.config.networks import Network
from damascene.config.training import Training
from damascene.contracts.class_learning import CLASS_LEARNING, LABELS_TO_ADD
from damascene.contracts.labels import SPLIT
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_table, write_tsv
from damascene.evaluation.class_learning import measure_class_learning, stage_features
from damascene.evaluation.labels_to_add import labels_to_add_text
from damascene.figures.class_learning import draw_class_learning
from damascene.figures.style import save_figure
from damascene.files import write_text
from damascene.learning.device import choose_device

source, params, output = snakemake.input, snakemake.params, snakemake.output
choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
split, stages = read_table(source.split, SPLIT), {}
for stage, text in params.settings.items():
    settings = Network.model_validate_json(text)
    training = Training.model_validate_json(params.training)
    features = np.load(source[stage])
    stages[stage] = stage_features(stage, split, features, settings=settings, training=training)
records = list(map(PanoramaRecord.read, source.records))
curves, gains = measure_class_learning(stages, split, records, **params.draws)
text = labels_to_add_text(gains, confidence=params.draws["confidence"])
write_tsv(curves, output.curves, CLASS_LEARNING)
write_tsv(gains, output.gains, LABELS_TO_ADD)
write_text(output.text, text)
save_figure(draw_class_learning(curves, gains), output.svg, output.png)
logger.info("%s", text)
