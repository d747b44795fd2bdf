"""Adapter of the rule write_headline."""

from damascene.classes import STAGES
from damascene.contracts.corrected import CORRECTED
from damascene.contracts.densities import DENSITIES
from damascene.contracts.detection_recall import DETECTION_RECALL
from damascene.contracts.domain_shift import DOMAIN_SHIFT
from damascene.contracts.evolution import EVOLUTION
from damascene.contracts.labels import LABELLED_SITES
from damascene.contracts.model_card import ModelCard
from damascene.contracts.noise_record import NoiseRecord
from damascene.contracts.phase_record import PhaseRecord
from damascene.contracts.quality_record import QualityRecord
from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.table import read_table, read_tsv, write_tsv
from damascene.contracts.verdict import VERDICT
from damascene.files import read_texts, write_text
from damascene.jobs.log import start_log
from damascene.statistics.summary import judge_numbers

start_log(snakemake.log[0])
source, params = snakemake.input, snakemake.params
contracts = {"densities": DENSITIES, "evolution": EVOLUTION, "corrected": CORRECTED}
contracts |= {"detection": DETECTION_RECALL}
contracts |= {"scores": SCORES, "confusion": CONFUSION, "shift": DOMAIN_SHIFT}
verdict, headline = judge_numbers(
    **{name: read_tsv(path, each) for name, each in contracts.items() for path in source[name]},
    labels=read_table(source.labelled[0], LABELLED_SITES) if source.labelled else None,
    cards=[ModelCard.read(f"{params.models}/{stage}.json") for stage in STAGES if params.models],
    quality=[QualityRecord.read(path) for path in source.quality],
    noise=[NoiseRecord.read(path) for path in source.noise],
    label_counts=read_texts(source.label_counts),
    phases=[PhaseRecord.read(path) for path in source.phases],
    phase_notes=read_texts(source.phase_notes),
    others=read_texts([*source.grey_scale, *source.labels]),
    **params.known,
)
write_tsv(verdict, snakemake.output.verdict, VERDICT)
write_text(snakemake.output.headline, headline)
