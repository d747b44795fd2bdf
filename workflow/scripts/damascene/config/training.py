"""How networks are trained."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Section


class Training(Section):
    """How both networks are trained.

    `refit`, `soft_labels`, `class_shares`, `augmentation`, `simulated_sites`, `pseudo_labels` and
    `rotation_deg` apply to all networks. The other keys apply to networks that are trained by
    gradient descent, not to `steel_lite0` and `efficientnet_lite0`.
    """

    epochs: int = Field(
        40,
        ge=1,
        description="Passes over the labels at most; training stops early when it no longer "
        "improves.",
    )
    batch_size: int = Field(
        16, ge=1, description="Clips per step. Lower it if the GPU runs out of memory."
    )
    learning_rate: float = Field(2e-3, gt=0, description="Largest step size of the optimiser.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine",
        description="`cosine`: the step size rises for a tenth of the epochs and falls to zero "
        "in the rest; `constant`: it does not change.",
    )
    patience: int = Field(
        12,
        ge=1,
        description="Epochs without a better validation loss after which training stops.",
    )
    refit: bool = Field(
        True,
        description="Once the validation labels have shown how many epochs are best, train again "
        "for as many on training and validation labels together. Takes up to twice the time "
        "and wastes no label but those whose windows overlap a window of a validation label.",
    )
    weight_decay: float = Field(
        1e-3, ge=0, description="Fraction by which weights shrink per step, times the step size."
    )
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Fraction of each label that is spread over all classes, so that the network "
        "does not become over-confident.",
    )
    soft_labels: bool = Field(
        True,
        description="Where there are several annotators (`labels[].annotators`), learn from the "
        "fraction of their answers for each class instead of the label alone.",
    )
    class_shares: Literal["natural", "square_root", "equal"] = Field(
        "equal",
        description="Weight of a class in training. `natural`: in proportion to its number of "
        "labels, so rare classes are hardly learned. `equal`: the same for all classes, so "
        "networks that train all their weights memorise the few sites of rare classes. "
        "`square_root`: in proportion to the square root of its number.",
    )
    augmentation: Literal["none", "flips", "mild", "strong"] = Field(
        "mild",
        description="How training clips are changed at random: `flips` mirrors; `mild` mirrors, "
        "rotates, shifts and scales, and changes brightness, contrast and noise; `strong` also "
        "bends and blurs, and does more of everything.",
    )
    simulated_sites: float = Field(
        0.1,
        ge=0,
        description="Weight of simulated sites, relative to that of all labels, in the training "
        "of the trees beside the networks. Simulated steel contains more sites of rare classes "
        "than a few hundred labels do; with many labels, or for another steel, try 0.",
    )
    pseudo_labels: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="Candidates without a label that are added to the training sites of a class, "
        "at most this many times the labels of the class. They are those of which a network "
        "trained on the labels alone is certain, with its answer as their label. 0 trains on "
        "labels only; at 1 a training takes more than twice the time. On real steel this brought "
        "no gain, see `docs/results.md`.",
    )
    rotation_deg: float = Field(
        15,
        ge=0,
        le=180,
        description="Largest rotation to either side under `mild` and `strong`. Cracks are "
        "mostly perpendicular to the load. Large rotations take this hint away; they are needed "
        "where networks are to be used for other directions of load than they were trained on.",
    )
