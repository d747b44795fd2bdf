"""How networks are trained."""

from typing import Literal

from pydantic import Field

from damascene.config.section import Section


class Training(Section):
    """How both networks are trained.

    All but `refit`, `soft_labels`, `class_shares`, `augmentation`, `simulated_sites`,
    `pseudo_labels` and `rotation_deg` is for networks that descend the gradient:
    `efficientnet_lite0` does not.
    """

    epochs: int = Field(
        40,
        ge=1,
        description="Passes over the labels at most; training stops early when it no longer gains.",
    )
    batch_size: int = Field(
        16, ge=1, description="Clips a step. Lower it if the GPU's memory is short."
    )
    learning_rate: float = Field(2e-3, gt=0, description="Largest step size of the optimiser.")
    schedule: Literal["cosine", "constant"] = Field(
        "cosine",
        description="`cosine`: the step size rises for a tenth of the epochs and falls to zero in "
        "the rest; `constant`: it stays.",
    )
    patience: int = Field(
        12,
        ge=1,
        description="Epochs without a better validation loss after which training stops.",
    )
    refit: bool = Field(
        True,
        description="With `split.cross_validate`: once the validation labels have shown how many "
        "epochs are best, train anew for as many on training and validation labels together. Takes "
        "up to twice the time and wastes no label. Without cross-validation the validation labels "
        "are the only ones left to test on, and this is not done.",
    )
    weight_decay: float = Field(
        1e-3, ge=0, description="Share by which weights shrink a step, times the step size."
    )
    label_smoothing: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="Share of each label that is spread over all classes, so that the network "
        "does not grow too sure.",
    )
    soft_labels: bool = Field(
        True,
        description="Learn from the shares of the annotators' answers where there are several "
        "(`labels[].annotators`) instead of the label alone.",
    )
    class_shares: Literal["natural", "square_root", "equal"] = Field(
        "equal",
        description="Weight of a class in training: its `natural` share, at which rare classes are "
        "hardly learned; `equal` shares, at which networks that train all their weights learn "
        "their few sites by heart; or by the `square_root` of its number.",
    )
    augmentation: Literal["none", "flips", "mild", "strong"] = Field(
        "mild",
        description="How training clips are changed at random: `flips` mirrors; "
        "`mild` mirrors, turns, shifts and scales, and changes brightness, contrast and "
        "noise; `strong` bends and blurs as well, and does more of all.",
    )
    simulated_sites: float = Field(
        0.1,
        ge=0,
        description="Weight of simulated sites, relative to that of all labels, among which the "
        "trees beside the networks grow. Simulated steel shows rare classes more often than a few "
        "hundred labels do; with many labels, or for another steel, try 0.",
    )
    pseudo_labels: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="Candidates without a label that join the training sites of a class, at most "
        "this many times the labels of the class: those a network trained on the labels alone is "
        "sure of, with its answer as their label. 0 trains on labels only; at 1 a training takes "
        "more than twice the time. The README says what was gained on real steel.",
    )
    rotation_deg: float = Field(
        15,
        ge=0,
        le=180,
        description="Largest turn to either side under `mild` and `strong`. Cracks are mostly "
        "perpendicular to the load: large turns take this hint away, and are needed where networks "
        "are to serve other directions of load than they were trained on.",
    )
