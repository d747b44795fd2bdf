"""Adapter of the rule look_at_candidates."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.classification.compared_sites import sampled_rows
from damascene.classification.embedding import stand_in_view
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.table import read_table
from damascene.files import write_array
from damascene.images.store import open_pair
from damascene.learning.device import choose_device, sites_at_once

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
candidates = read_table(source.candidates, CANDIDATES)
some = candidates.iloc[sampled_rows(len(candidates))]
with open_pair(source.image, source.valid, by_windows=True) as (image, valid):
    features = stand_in_view(params.window).features(
        some["x_px"], some["y_px"], image, valid, batch_size=sites_at_once()
    )
# Half precision is far finer than what one site tells from another.
write_array(snakemake.output.features, features.astype("float16"))
