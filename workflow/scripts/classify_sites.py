"""Adapter of the rules classify_sites and classify_strip."""

from damascene.jobs.log import start_log

start_log(snakemake.log[0])  # First: TensorFlow writes lines when imported.

from damascene.classification.compared_sites import sampled_in_strip
from damascene.classification.predict import networks_in, predict_sites_and_features
from damascene.contracts.calibration_record import Calibration
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.keyed import read_descriptors
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table, write_table
from damascene.files import write_array
from damascene.images.store import open_pair
from damascene.images.tiles import strip_slice
from damascene.learning.device import SHARED_SITES, choose_device, sites_at_once

choose_device(gpu=snakemake.resources.get("gpu", 0), threads=snakemake.threads)
source, params = snakemake.input, snakemake.params
candidates = read_table(source.candidates, CANDIDATES)
# Whole batches: a site's neighbours in its batch are the same however many jobs share the work.
strip = strip_slice(len(candidates), strip=tuple(params.strip), step=SHARED_SITES)
own = candidates[strip]
with open_pair(source.image, source.valid, by_windows=True) as (image, valid):
    sites, features = predict_sites_and_features(
        own,
        image,
        read_descriptors(source.descriptors, own) if source.descriptors else None,
        **networks_in(params.models),
        sampled=sampled_in_strip(len(candidates), strip),
        valid=valid,
        batch_size=sites_at_once(),
        inclusion_threshold=params.inclusion_threshold,
        damage_threshold=params.damage_threshold,
        calibration=Calibration.read(source.calibration) if source.calibration else None,
    )
write_table(sites, snakemake.output.sites, PREDICTIONS)
write_array(snakemake.output.features, features)
