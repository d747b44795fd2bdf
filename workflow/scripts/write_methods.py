"""Adapter of the rule write_methods."""

from pathlib import Path

from damascene.classes import ALL, STAGES
from damascene.config.denoising import Denoise
from damascene.config.detection import Detection
from damascene.contracts.corrected import CORRECTED
from damascene.contracts.densities import DENSITIES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord
from damascene.contracts.table import read_tsv
from damascene.files import write_text
from damascene.jobs.log import start_log
from damascene.statistics.analysis_methods import analysis_in_words, is_corrected
from damascene.statistics.methods import methods_text
from damascene.statistics.phases.methods import phases_in_words

logger = start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
sites = read_tsv(source.densities, DENSITIES)
sites = sites[sites["class"] == ALL]
corrected = read_tsv(source.corrected, CORRECTED)
text = methods_text(
    preset=params.preset,
    denoise=Denoise.model_validate_json(params.denoise),
    detection=Detection.model_validate_json(params.detection),
    cards={stage: ModelCard.read(Path(params.models) / f"{stage}.json") for stage in STAGES},
    thresholds=params.thresholds,
    records=[PanoramaRecord.read(path) for path in source.records],
    counted=int(sites["count"].sum()),
    labelled=int(sites["labelled"].sum()),
    tested=params.tested,
    seed=params.seed,
    phases=phases_in_words(params.segmentation, params.phase_model),
    analysis=analysis_in_words(corrected),
    corrected=is_corrected(corrected),
)
write_text(snakemake.output.methods, text)
logger.info("%s", text)
