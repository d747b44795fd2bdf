"""Adapter of the rule measure_space."""

import contextlib

from damascene.contracts.phase_shapes import PHASE_SHAPES
from damascene.contracts.shift_record import ShiftRecord
from damascene.contracts.sites import SITES
from damascene.contracts.space import RANDOM_LABELLING, SPACE_CURVES, SPACE_SUMMARY
from damascene.contracts.table import read_table, read_tsv, write_table, write_tsv
from damascene.figures.space import draw_density_map, draw_space
from damascene.figures.style import save_figure
from damascene.images.store import TiledImage
from damascene.jobs.log import start_log
from damascene.space.panorama import measure_panorama

start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
name = snakemake.wildcards.panorama
with contextlib.ExitStack() as files:
    space = measure_panorama(
        read_table(source.sites, SITES),
        files.enter_context(TiledImage(source.valid)),
        phases=files.enter_context(TiledImage(source.phases)) if source.phases else None,
        shapes=read_tsv(source.shapes, PHASE_SHAPES) if source.shapes else None,
        hard_phase=params.hard_phase,
        values=params.values,
        merge_distance=params.merge_distance,
        confidence=params.confidence,
        seed=params.seed,
        withheld=ShiftRecord.read(source.shift).withheld if params.withhold else "",
    )
summary, curves, labelling = (
    table.assign(panorama=name) for table in (space.summary, space.curves, space.labelling)
)
write_tsv(summary, output.summary, SPACE_SUMMARY)
write_table(curves, output.curves, SPACE_CURVES)
write_tsv(labelling, output.labelling, RANDOM_LABELLING)
save_figure(draw_space(curves, summary, labelling, title=name), output.space_svg, output.space_png)
figure = draw_density_map(space.map, space.damage_um, title=name)
save_figure(figure, output.map_svg, output.map_png)
