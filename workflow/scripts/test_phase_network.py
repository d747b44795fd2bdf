"""Adapter of the rule test_phase_network."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.held_out_phases import HELD_OUT_PHASES
from damascene.contracts.segmentation_scores import SEGMENTATION_COSTS
from damascene.contracts.table import write_table, write_tsv
from damascene.evaluation.phase_networks import network_counts
from damascene.evaluation.phase_tests import open_labelled, write_examples
from damascene.learning.device import choose_device

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params, output = snakemake.input, snakemake.params, snakemake.output
with open_labelled(
    params.panoramas,
    source.images,
    source.valid,
    source.labels,
    folds=params.folds,
    fold_seed=params.fold_seed,
) as panoramas:
    counts, costs, examples = network_counts(
        panoramas,
        method=snakemake.wildcards.method,
        fold=int(snakemake.wildcards.fold),
        phases=params.phases,
        model_path=params.model,
        trained_here=bool(source.model),
        threads=snakemake.threads,
    )
write_table(counts, output.counts, HELD_OUT_PHASES)
write_tsv(costs, output.costs, SEGMENTATION_COSTS)
write_examples(output.examples, examples)
