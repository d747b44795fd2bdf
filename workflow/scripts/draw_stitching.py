"""Adapter of the rule draw_stitching."""

import json
from pathlib import Path

import pandas as pd

from damascene.figures.stitching import draw_stitching
from damascene.figures.style import save_figure
from damascene.jobs.log import start_log

start_log(snakemake.log[0])
record = json.loads(Path(snakemake.input.record).read_text())
frames, pairs = (
    pd.read_csv(
        path,
        sep="\t",
        dtype={"file": str, "first": str, "second": str},
        keep_default_na=False,
        na_values=[""],
    )
    for path in (snakemake.input.frames, snakemake.input.pairs)
)
figure = draw_stitching(frames, pairs, record=record)
save_figure(figure, snakemake.output.svg, snakemake.output.png)
