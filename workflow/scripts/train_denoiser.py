"""Adapter of the rule train_denoiser."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.history import HISTORY
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.paired_scan_record import PairedScanRecord
from damascene.contracts.table import write_tsv
from damascene.learning.device import choose_device
from damascene.restoration.condition_training import scans_of, train_condition

device = choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params, output = snakemake.input, snakemake.params, snakemake.output
history, card = train_condition(
    scans_of(params.panoramas, source.images, source.valid, source.targets, source.targets_valid),
    [NoiseRecord.read(path) for path in source.noises],
    method=snakemake.wildcards.method,
    paired=[PairedScanRecord.read(path) for path in source.paired],
    epochs=params.epochs,
    seed=params.seed,
    model_path=output.model,
    device=device,
)
write_tsv(history, output.history, HISTORY)
card.write(output.card)
