"""Adapter of the rule reproduce_published."""

from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.contracts.digit_scores import DIGIT_SCORES
from damascene.contracts.ledger import LEDGER
from damascene.contracts.table import read_tsvs, write_tsv
from damascene.figures.ledger import draw_ledger
from damascene.figures.style import save_figure
from damascene.files import write_text
from damascene.learning.device import choose_device
from damascene.ledger.compare import ledger_lines, reproduce
from damascene.ledger.fetch import public_files
from damascene.ledger.publications import read_publications

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
params, output = snakemake.params, snakemake.output
ledger = reproduce(
    read_publications(params.publications),
    files=public_files(),
    folder=params.folder,
    fetch=params.fetch,
    scores=read_tsvs(snakemake.input.scores, DIGIT_SCORES),
)
lines = ledger_lines(ledger)
for line in lines:
    logger.info(line)
write_tsv(ledger, output.ledger, LEDGER)
write_text(output.summary, "\n".join(lines) + "\n")
save_figure(draw_ledger(ledger), output.svg, output.png)
