"""Adapter of the rule train_segmentation."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.config.segmentation import Segmentation
from damascene.contracts.history import HISTORY
from damascene.contracts.table import write_tsv
from damascene.learning.device import choose_device
from damascene.segmentation.train import lessons_of, train_segmentation

device = choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params, output = snakemake.input, snakemake.params, snakemake.output
settings = Segmentation.model_validate_json(params.settings)
history, card = train_segmentation(
    lessons_of(params.panoramas, source.images, source.valid, source.labels),
    phases=tuple(settings.phases),
    settings=settings,
    test_fold=None if params.test_fold < 0 else params.test_fold,
    seed=params.seed,
    fold_seed=params.fold_seed,
    model_path=output.model,
    trained_on=params.trained_on,
    device=device,
)
write_tsv(history, output.history, HISTORY)
card.write(output.card)
