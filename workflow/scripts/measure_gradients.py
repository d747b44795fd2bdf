"""Adapter of the rule measure_gradients."""

from damascene.contracts.labels import SPLIT
from damascene.contracts.table import read_table
from damascene.evaluation.baselines import gradients_of_sites
from damascene.files import write_array
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
hog = gradients_of_sites(
    read_table(snakemake.input.split, SPLIT),
    panoramas=snakemake.params.panoramas,
    images=snakemake.input.images,
)
write_array(snakemake.output.hog, hog)
logger.info("%d sites, %d views, %d values of HOG", *hog.shape)
