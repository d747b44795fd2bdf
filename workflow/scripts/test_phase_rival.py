"""Adapter of the rule test_phase_rival."""

from damascene.contracts.held_out_phases import HELD_OUT_PHASES
from damascene.contracts.segmentation_scores import SEGMENTATION_COSTS
from damascene.contracts.table import write_table, write_tsv
from damascene.evaluation.phase_rivals import rival_counts
from damascene.evaluation.phase_tests import open_labelled, write_examples
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
with open_labelled(
    params.panoramas,
    source.images,
    source.valid,
    source.labels,
    folds=params.folds,
    fold_seed=params.fold_seed,
) as panoramas:
    counts, costs, examples = rival_counts(
        panoramas,
        method=snakemake.wildcards.method,
        fold=int(snakemake.wildcards.fold),
        phases=params.phases,
        folds=params.folds,
        seed=params.seed,
    )
write_table(counts, output.counts, HELD_OUT_PHASES)
write_tsv(costs, output.costs, SEGMENTATION_COSTS)
write_examples(output.examples, examples)
