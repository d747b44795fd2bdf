"""Adapter of the rule write_workshop."""

from pathlib import Path

from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.workshop.book import book, chapter

logger = start_log(snakemake.log[0])
params = snakemake.params
chapters = [
    chapter(path, name=name) for path, name in zip(params.notebooks, params.pages, strict=True)
]
folder = Path(snakemake.output.index).parent
for name, text in book(chapters, study=params.study, origin=params.origin).items():
    write_text(folder / name, text)
    logger.info("%s: %.1f MB", name, len(text) / 1e6)
