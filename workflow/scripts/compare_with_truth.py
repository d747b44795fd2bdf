"""Adapter of the rule compare_with_truth."""

import pandas as pd

from damascene.contracts.scores import CONFUSION, SCORES
from damascene.contracts.sites import SITES
from damascene.contracts.table import read_table, write_tsv
from damascene.contracts.truth import TRUTH
from damascene.contracts.truth_detection import TRUTH_DETECTION
from damascene.detection.matching import match_to_outlines
from damascene.evaluation.scores import confusion_table, score_table
from damascene.evaluation.truth import detection_scores, matched_classes
from damascene.jobs.log import start_log

logger = start_log(snakemake.log[0])
source, params, output = snakemake.input, snakemake.params, snakemake.output
sites, truths, matches = [], [], []
for name, sites_path, truth_path in zip(params.panoramas, source.sites, source.truth, strict=True):
    sites.append(read_table(sites_path, SITES))
    truths.append(read_table(truth_path, TRUTH))
    pairs = match_to_outlines(sites[-1], truths[-1], tolerance_px=params.tolerance_px)
    matches.append(pairs.assign(panorama=name))
sites, truth, matches = (pd.concat(part, ignore_index=True) for part in (sites, truths, matches))
for table in (sites, truth):
    table["in_labelled_area"] = table["x_px"] < params.labelled_until_px
detection = detection_scores(
    sites,
    truth,
    matches,
    minimum_area_px=params.minimum_area_px,
    confidence=params.confidence,
)
write_tsv(detection, output.detection, TRUTH_DETECTION)
labels = matched_classes(sites, truth, matches, minimum_area_px=params.minimum_area_px)
unseen = labels[~labels["in_labelled_area"]]
confusion = confusion_table(unseen["true_class"], unseen["predicted_class"])
write_tsv(confusion, output.confusion, CONFUSION)
scores = score_table(
    unseen["true_class"],
    unseen["predicted_class"],
    # Sites are placed independently of each other, so each is a group of its own.
    groups=unseen["panorama"] + "/" + unseen["site_id"].astype(str),
    confidence=params.confidence,
    seed=params.seed,
)
write_tsv(scores, output.scores, SCORES)
logger.info("%s\n%s", detection.to_string(), scores.to_string())
