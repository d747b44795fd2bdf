"""The quantities that a ledger file may name, and what each of them is measured from."""

import difflib
import re
from collections.abc import Iterator

from damascene.classes import STAGE_CLASSES
from damascene.config.workshop import PICTURE_SETS
from damascene.contracts.digit_scores import DIGIT_NETWORKS

#: What has to be there before a quantity can be measured.
ARCHITECTURE, IMAGE, NETWORKS, NOTHING = "architecture", "image", "networks", "nothing"
SCORES = "scores"
_CLASSES = "|".join((*STAGE_CLASSES["damage"], "inclusion", "damage"))
# Patterns of names, in the order in which messages show them.
_KINDS = {
    ARCHITECTURE: ("inception_v3_parameters", "eeracn_parameters"),
    IMAGE: ("clusters", "noise_pixels", "candidates"),
    NETWORKS: (
        *("inclusions", "stage2_sites", "identified", "not_classified"),
        *(r"inclusion_\d+_row", r"inclusion_\d+_column"),
        rf"stage1_\d+_(?:{'|'.join(STAGE_CLASSES['inclusion'])})",
        rf"stage2_\d+_(?:{'|'.join(STAGE_CLASSES['damage'])})",
    ),
    # Of networks that are trained on small public pictures, by network and set.
    SCORES: (rf"accuracy_(?:{'|'.join(DIGIT_NETWORKS)})_(?:{'|'.join(PICTURE_SETS)})",),
    # Of papers whose images are not public: they can be read beside one's own.
    NOTHING: (
        *(rf"density_(?:{_CLASSES})", "median_area", "stage2_accuracy", "crack_orientation"),
        *(r"accuracy_(?:uniaxial|biaxial)_(?:plain|augmented)", "registration_error"),
        *(r"iou_(?:ferrite|martensite|damage)", "psnr_bicubic", "ssim_bicubic"),
    ),
}


def needed_for(quantity: str) -> str | None:
    """Return what a quantity is measured from, None for a name that nobody knows."""
    for kind, patterns in _KINDS.items():
        if any(re.fullmatch(pattern, quantity) for pattern in patterns):
            return kind
    return None


def hint(quantity: str) -> str:
    """Return what may have been meant by an unknown name."""
    near = difflib.get_close_matches(quantity, list(_shown()), n=1)
    return f"Did you mean '{near[0]}'?" if near else f"Known are: {', '.join(_shown())}."


def _shown() -> Iterator[str]:
    for patterns in _KINDS.values():
        for pattern in patterns:
            yield re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", pattern.replace(r"\d+", "1"))
