"""What was done, in words for a paper: from the settings and from the networks that ran."""

import re
from collections.abc import Mapping, Sequence

from damascene.classes import STAGE_CLASSES
from damascene.config.denoising import CALIBRATED, Denoise
from damascene.config.detection import Detection
from damascene.contracts.model_card import ModelCard
from damascene.contracts.panorama_record import PanoramaRecord

# Units as a paper writes them.
_SHOWN_UNITS = {"um": "µm", "um2": "µm²", "px2": "px²"}
_UNIT = re.compile(r"(?<=\d )(um2|um|px2)\b")
_LITE0 = "EfficientNet-Lite0 (Tan and Le, 2019, arXiv 1905.11946) with weights of ImageNet"
_FROZEN = {
    "efficientnet_lite0": _LITE0,
    "steel_lite0": f"{_LITE0}, adapted to simulated dual-phase steel",
}
_SOURCE = (
    "The two-stage scheme follows Kusche et al., PLoS ONE 14 (2019) e0216493, doi "
    "10.1371/journal.pone.0216493."
)


def methods_text(
    *,
    preset: str,
    denoise: Denoise,
    detection: Detection,
    cards: Mapping[str, ModelCard],
    thresholds: Mapping[str, float],
    records: Sequence[PanoramaRecord],
    counted: int,
    labelled: int,
    tested: bool,
    seed: int,
    phases: str = "",
    analysis: str = "",
    corrected: bool = False,
) -> str:
    """Return paragraphs in reStructuredText that say how sites were found and classified.

    Parameters
    ----------
    preset : str
        Name of the parameter set that the settings start from.
    denoise : config.denoising.Denoise
    detection : config.detection.Detection
    cards : mapping of stage to ModelCard
        Of the networks that classified, wherever they were trained.
    thresholds : mapping of stage to float
        Probability that must be exceeded.
    records : sequence of PanoramaRecord
        Of all panoramas.
    counted, labelled : int
        Sites of all panoramas, and those of them whose class a person gave.
    tested : bool
        Whether labels tested the networks.
    seed : int
        Of the study.
    phases : str, optional
        How phases were mapped, see `phases.methods`.
    analysis : str, optional
        What was calculated of the sites, see `analysis_methods`.
    corrected : bool, optional
        Whether corrected counts stand beside those as classified.
    """
    paragraphs = [
        f"**How sites were found.** {_panoramas(records)} {_preset(preset)}{_denoising(denoise)} "
        f"{_dark(detection)} {_clusters(detection)} {_joining(detection)}",
        f"**How they were classified.** {_networks(cards, thresholds)}",
        *(_stage(stage, cards[stage]) for stage in STAGE_CLASSES),
        *([phases] if phases else []),
        *([analysis] if analysis else []),
        f"{_SOURCE} {_counts(counted, labelled, tested, corrected)} All random "
        f"choices derive from the seed {seed}.",
    ]
    text = "\n\n".join(" ".join(each.split()) for each in paragraphs) + "\n"
    return _UNIT.sub(lambda found: _SHOWN_UNITS[found[1]], text)


def _counts(counted, labelled, tested, corrected):
    said = f"Of {counted} sites, {labelled} are counted with the class that a person gave them, "
    said += "and the others" if labelled else "and all"
    errors = (
        ", which the confusion matrices show"
        if tested
        else "; no labels have tested these networks here"
    )
    if not labelled:
        said = f"The {counted} sites"
    if corrected:
        return (
            f"{said} are counted as classified; counts that are corrected for the errors of the "
            f"networks stand beside these{errors}."
        )
    return (
        f"{said} are counted as classified, not corrected for the errors of the networks{errors}."
    )


def _panoramas(records):
    sizes = sorted({f"{one.pixel_size_nm:g}" for one in records}, key=float)
    area = sum(one.valid_area_mm2 for one in records)
    shown = sizes[0] if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    number = "1 panorama" if len(records) == 1 else f"{len(records)} panoramas"
    return (
        f"Sites were sought in {number} with {area:.3g} mm² of valid area and pixels of {shown} nm."
    )


def _preset(preset):
    return "" if preset == "default" else f"Settings start from the published set *{preset}*. "


def _denoising(denoise):
    if denoise.method == "none":
        return "Images were not denoised."
    strength = denoise.strength
    strength = "calibrated on each panorama" if strength == CALIBRATED else f"{strength:g}"
    return f"Images were denoised by {denoise.method.replace('_', ' ')}, strength {strength}."


def _dark(detection):
    threshold = detection.threshold
    if threshold.rule == "relative":
        return (
            "A pixel is dark if it lies below the local grey of ferrite by more than "
            f"{threshold.depth:g} of the step from ferrite to martensite, both taken in blocks of "
            f"{threshold.block}."
        )
    limit = f"{'up to' if threshold.inclusive else 'below'} grey {threshold.grey:g} of 255"
    if threshold.rule == "matched":
        reference = threshold.reference or "the panorama of least strain"
        return f"Grey histograms were matched to that of {reference}; a pixel is dark {limit}."
    return f"A pixel is dark {limit}."


def _clusters(detection):
    runs = f", run {detection.passes} times" if detection.passes > 1 else ""
    return " ".join(
        [
            "Holes in the mask of dark pixels were filled."
            if detection.fill_holes == "before"
            else "",
            f"Dark pixels were clustered by DBSCAN (eps {detection.eps}, {detection.metric}, at "
            f"least {detection.min_samples} samples{runs})"
            + (", and clusters that touch are one" if detection.sites == "blobs" else "")
            + (", and holes filled in each" if detection.fill_holes == "after" else "")
            + ".",
            f"Sites are larger than {detection.minimum_area}.",
            f"Their surroundings are brighter than they are by at least "
            f"{detection.minimum_edge:g} of the step from ferrite to martensite."
            if detection.minimum_edge > 0
            else "",
        ]
    )


def _joining(detection):
    said = []
    if detection.merge == "corrected":
        said.append(
            f"Of two closer than {detection.merge_distance} the smaller was joined to the larger."
        )
    elif detection.merge == "published":
        said.append(
            f"Sites within {detection.merge_distance} were merged as the public code does, which "
            "also loses sites that stand alone."
        )
    if detection.drop_rim_fragments:
        said.append(
            "Sites whose centroid lies in the convex hull of a larger one, or which lie beside one "
            "across a gap of at most a quarter of its diameter and 0.6 um, were joined to it."
        )
    return " ".join(said)


def _networks(cards, thresholds):
    inclusion, damage = cards["inclusion"], cards["damage"]
    explained = "".join(
        f" {name} is {_FROZEN[name]}; only its last layer was fitted to the labels."
        for name in dict.fromkeys([inclusion.network, damage.network])
        if name in _FROZEN
    )
    return (
        f"Two networks in sequence: {inclusion.network} on windows of {inclusion.window} decides "
        "whether a site is an inclusion (probability above "
        f"{thresholds['inclusion']:g}); {damage.network} on windows of {damage.window} names the "
        f"damage of the rest (the most probable class, if above {thresholds['damage']:g}; else "
        f"not classified).{explained}"
    )


def _stage(stage, card):
    """Say how the answer of a stage comes about and what it was trained on, by its card."""
    said = []
    if card.centre is not None:
        said.append(
            f"The {stage} network also sees the inner {card.centre:g} of its window enlarged."
        )
    if card.average_flips:
        said.append("Its answer is the mean over the clip and its mirror images.")
    said.append(_trees(stage, card))
    said.append(_training(stage, card))
    return " ".join(said)


def _trees(stage, card):
    if not card.descriptors:
        return f"The answer of the {stage} stage is that of its network alone."
    # Cards of earlier versions do not say it.
    share = card.tree_share
    weights = "" if share is None else f", at weights of {1 - share:g} and {share:g}"
    weight = (card.training or {}).get("simulated_sites")
    grown = (
        "; the forest was grown on the labelled sites and on simulated sites at a weight of "
        f"{weight:g}"
        if weight
        else ""
    )
    return (
        f"The answer of the {stage} stage is the mean of that of the network and that of a random "
        f"forest on descriptors of the site (shape, depth, rim, neighbourhood){weights}{grown}."
    )


def _training(stage, card):
    if card.source is not None:
        return f"Its weights are those of {card.source.file} ({card.source.origin})."
    if card.class_counts is None:
        return "Its card does not say what it was trained on."
    learned = card.class_counts["train"]
    refit = bool((card.training or {}).get("refit"))
    roles = ("train", "validation") if refit else ("train",)
    total = sum(sum(card.class_counts[role].values()) for role in roles)
    classes = ", ".join(
        f"{sum(card.class_counts[role][name] for role in roles)} {name.replace('_', ' ')}"
        for name in learned
    )
    note = f" {card.note}" if card.note else ""
    at_once = (
        " It learned these classes at once; its answer is the probability of each class of the "
        "stage, given that the site is of one of them."
        if set(learned) - set(card.classes)
        else ""
    )
    return f"The {stage} stage was trained on {total} labelled sites ({classes}).{at_once}{note}"
