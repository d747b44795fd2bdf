"""Every key of the configuration, in one place.

The models below are the single source of truth: `config/config.yaml`, the JSON Schema for editors
and the table in `config/README.md` are written from them (`python -m damascene.config_files`).
"""

import difflib
import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal

import pydantic
import yaml
from pydantic import AfterValidator, Field

from damascene import InputError
from damascene.networks import IMAGENET, IMAGENET_NETWORKS, network_named

# Edge of the window from which descriptors are measured.
DESCRIPTOR_WINDOW = "8 um"
# Cell of the sample sheet for a panorama that the simulator makes.
SIMULATED = "simulated"
# Names of the files in `config/presets`; the first one holds the defaults of the models below.
PRESETS = ("default", "reclik2017", "kusche2019", "medghalchi2020", "kerzel2024")
# Names of the files in `config/presets/training`, in the same way.
TRAINING_PRESETS = ("default", "kusche2018", "medghalchi2019")
PRESET_FOLDER = Path(__file__).parents[3] / "config/presets"

_QUANTITY = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(px2|um2|µm2|px|nm|um|µm)\s*")


def _split_quantity(text, units, example):
    match = _QUANTITY.fullmatch(text)
    if not match or match[2].replace("µ", "u") not in units:
        raise ValueError(
            f"give a number and one of the units {', '.join(units)}, as in '{example}'"
        )
    return float(match[1]), match[2].replace("µ", "u")


def _checked_length(text: str) -> str:
    _split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return text


def _checked_area(text: str) -> str:
    _split_quantity(text, ("px2", "um2"), "0.03 um2")
    return text


def _checked_network(text: str) -> str:
    try:
        network_named(text)
    except InputError as error:
        raise ValueError(str(error).rstrip(".")) from error
    return text


Length = Annotated[str, AfterValidator(_checked_length)]
Area = Annotated[str, AfterValidator(_checked_area)]


def length_px(text: str, *, pixel_size_nm: float) -> float:
    """Return a length such as `0.4 um`, `40 nm` or `10 px` in pixels."""
    value, unit = _split_quantity(text, ("px", "nm", "um"), "0.4 um")
    return {"px": value, "nm": value / pixel_size_nm, "um": value * 1000 / pixel_size_nm}[unit]


def area_px(text: str, *, pixel_size_nm: float) -> float:
    """Return an area such as `0.03 um2` or `20 px2` in pixels."""
    value, unit = _split_quantity(text, ("px2", "um2"), "0.03 um2")
    return value if unit == "px2" else value * 1e6 / pixel_size_nm**2


class _Section(pydantic.BaseModel):
    # A misspelt key that is silently ignored gives numbers with other settings than meant.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class LabelSource(_Section):
    """A file with labelled sites."""

    path: str = Field(
        description="TSV file with one row a labelled site, relative to `data_folder`."
    )
    panorama: str | None = Field(
        None,
        description="Panorama that all rows belong to, for a file without a column `panorama`.",
    )
    columns: dict[Literal["panorama", "x_px", "y_px", "label", "annotator", "tile"], str] = Field(
        default_factory=dict,
        description="Names that the file uses for our columns, as in `{label: majority, tile: "
        "file}`. "
        "With `tile`, positions count from the corner of that tile of a grid. Rows with an empty "
        "label are left out and counted in the log.",
    )
    annotators: list[str] = Field(
        default_factory=list,
        description="Columns with the answers of single annotators, as in `[annotator_a, "
        "annotator_b]`, where the label is what most of them said; cells hold a class, "
        "`unclear`, or nothing. The networks learn from the "
        "shares of the answers, and `snakemake evaluation` draws how well people agree.",
    )


class Simulation(_Section):
    """Simulated panoramas: rows of the sample sheet whose path is `simulated`."""

    width_px: int = Field(
        6144,
        ge=512,
        description="Columns of each simulated panorama. Halve it for a quick try; time and the "
        "number of sites grow with the area.",
    )
    height_px: int = Field(4096, ge=512, description="Rows of each simulated panorama.")
    dwell_time_ns: float = Field(
        3000,
        gt=0,
        description="Time the beam spends on a pixel. Lower it to see what fast scanning does: the "
        "noise rises, and at 500 ns and below it becomes Gamma-like.",
    )
    labelled_fraction: float = Field(
        0.5,
        gt=0,
        lt=1,
        description="Left part of each simulated panorama in which sites are labelled. The rest is "
        "kept for the test against the truth.",
    )
    labels_per_class: int = Field(
        50,
        ge=1,
        description="Labels given at most to a class in one panorama. Raise it to see what more "
        "labelling work would bring.",
    )


class Denoise(_Section):
    """Noise reduction before sites are looked for."""

    method: Literal[
        "none", "gaussian", "median", "non_local_means", "total_variation", "wavelet"
    ] = Field(
        "none",
        description="How noise is reduced. Smoothing closes small voids, noise invents them: "
        "decide "
        "by the table that `snakemake compare_denoising` writes.",
    )
    strength: float = Field(
        1.0,
        gt=0,
        description="Factor on the smoothing that follows from the measured noise. Above 1 more "
        "noise goes and more small voids with it.",
    )


class Threshold(_Section):
    """Which pixels are dark."""

    rule: Literal["relative", "fixed", "matched"] = Field(
        "relative",
        description="`relative` follows the local brightness and contrast, so that it means the "
        "same on every tile; `fixed` is one grey value for everything; `matched` is one grey value "
        "after the grey histogram of each panorama was matched to that of a reference.",
    )
    depth: float = Field(
        0.46,
        gt=0,
        lt=1,
        description="For `relative`: a pixel is dark if it lies further below the local grey of "
        "ferrite than this part of the step from ferrite to martensite, whatever the brightness "
        "and the contrast. Raise it if ferrite is taken for damage, lower it if shallow voids are "
        "missed.",
    )
    block: Length = Field(
        "20 um",
        description="For `relative`: edge of the blocks whose ferrite and martensite set the local "
        "levels. Keep it several grains wide and smaller than the brightness drift.",
    )
    grey: float = Field(
        20,
        ge=0,
        le=255,
        description="For `fixed` and `matched`: grey value from 0 to 255 below which a pixel is "
        "dark. Raise it and shallow voids are found, and dark ferrite with them.",
    )
    inclusive: bool = Field(
        False,
        description="For `fixed` and `matched`: count pixels of exactly this grey value as dark, "
        "too.",
    )
    reference: str = Field(
        "",
        description="For `matched`: the panorama of the sheet whose grey histogram the others are "
        "matched to; empty: the first one. Another reference shifts the counts of all panoramas.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        if self.rule != "relative" and self.grey == 0 and not self.inclusive:
            raise ValueError("no pixel is below grey 0. Raise 'grey' or set 'inclusive: true'")
        if self.reference and self.rule != "matched":
            raise ValueError(
                f"'reference: {self.reference}' only serves 'rule: matched', but the rule is "
                f"'{self.rule}'. Set 'rule: matched' or remove 'reference'"
            )
        return self


class Detection(_Section):
    """From dark pixels to candidates."""

    threshold: Threshold = Field(default_factory=Threshold)
    fill_holes: Literal["before", "after", "never"] = Field(
        "after",
        description="`after` fills the holes of each cluster, so that a particle left in an "
        "inclusion counts as part of it; `before` fills them in the mask of dark pixels, and "
        "DBSCAN works on the filled mask; `never` makes sites with holes smaller.",
    )
    eps: Length = Field(
        "1 px",
        description="DBSCAN: dark pixels within this distance are neighbours, at least 1 px. "
        "Larger values join fragments of one void, and voids that are close.",
    )
    min_samples: int = Field(
        4,
        ge=1,
        description="DBSCAN: neighbours (itself included) that make a pixel the core of a cluster. "
        "Higher values break thin cracks into pieces, lower ones let noise through.",
    )
    metric: Literal["euclidean", "manhattan", "chebyshev"] = Field(
        "euclidean",
        description="DBSCAN: how distances are measured. `chebyshev` makes the neighbourhood a "
        "square, so that pixels touching by a corner are neighbours at 1 px; `manhattan` a "
        "diamond.",
    )
    passes: int = Field(
        1,
        ge=1,
        description="How often DBSCAN is run, each time on the pixels that the run before kept. "
        "Published code runs it twice; with the same eps and min_samples this costs time and "
        "changes nothing, as all neighbours of a core pixel are kept.",
    )
    sites: Literal["clusters", "blobs"] = Field(
        "clusters",
        description="`clusters`: a site is a cluster of DBSCAN; `blobs`: clusters that touch, "
        "be it by a corner, are one site, and a cluster of pixels that do not touch falls apart.",
    )
    minimum_area: Area = Field(
        "20 px2",
        description="Sites must be larger than this; 0 px2 sets no limit. It is the detection "
        "limit: state it with every number you publish.",
    )
    minimum_edge: float = Field(
        0,
        ge=0,
        allow_inf_nan=False,
        description="Sites must have a steep edge: 0.2 um off, their surroundings must be brighter "
        "than their dark pixels by this share of the step from ferrite to martensite (`relative` "
        "thresholds only; 0 sets no limit). Cavities have an edge, dark ferrite and shadows do "
        "not: raise it, to 0.25 say, to leave soft dark patches out before classification. It "
        "takes shadowing away: keep it 0 where that is to be counted as a class.",
    )
    merge: Literal["corrected", "published", "none"] = Field(
        "corrected",
        description="Of two sites that are close, `corrected` keeps the larger one and `none` "
        "both. `published` repeats the public code with its index slip, which drops sites that "
        "stand alone and fails on long lists: for comparisons with numbers made by it.",
    )
    merge_distance: Length = Field(
        "0.8 um",
        description="Sites are close if their centroids are closer than this. Raise it if one "
        "cavity is counted twice.",
    )
    drop_rim_fragments: bool = Field(
        True,
        description="Drop a site whose centroid lies in the convex hull of a larger one: rims of "
        "inclusions fall apart into such fragments. Set it to false to repeat published counts.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        distance, _ = _split_quantity(self.merge_distance, ("px", "nm", "um"), "0.8 um")
        if self.merge != "none" and distance == 0:
            raise ValueError(
                f"'merge: {self.merge}' with 'merge_distance: {self.merge_distance}' merges "
                "nothing. Give a distance or set 'merge: none'"
            )
        if self.minimum_edge > 0 and self.threshold.rule != "relative":
            raise ValueError(
                f"'minimum_edge: {self.minimum_edge:g}' needs the step from ferrite to martensite, "
                f"which 'threshold: rule: {self.threshold.rule}' does not know. Set the rule to "
                "relative or minimum_edge to 0"
            )
        eps, unit = _split_quantity(self.eps, ("px", "nm", "um"), "1 px")
        if eps == 0 or (unit == "px" and eps < 1 < self.min_samples):
            raise ValueError(f"with 'eps: {self.eps}' no pixel has a neighbour. Give 1 px or more")
        return self


class Network(_Section):
    """One of the two networks."""

    network: Annotated[str, AfterValidator(_checked_network)] = Field(
        "efficientnet_lite0",
        description="`efficientnet_lite0` has learned to see from photographs (ImageNet) and "
        "learns but its last layer here: best for some hundred labels, and trained in a minute. "
        "`compact` learns all its weights from the labels; `inception_v3` and `eeracn` are the "
        "published networks and want a GPU, as do `xception`, `vgg16` and `alexnet`; `lenet5` is "
        "small. Or a network of your own, written as "
        "`INPUT -> [[CONV -> RELU]*2 -> POOL]*3 -> [FC -> RELU]*1 -> FC`.",
    )
    window: Length = Field(
        description="Edge of the window round a site that the network sees, resampled to its "
        "input size. In px it shows more of the steel where pixels are larger; give it in um if "
        "pixel sizes differ."
    )
    centre: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Part of the window's edge round the site that `efficientnet_lite0` and "
        "`compact` see enlarged as well: the window shows the surroundings, its centre the "
        "outline. 1 leaves it out; other networks take one picture.",
    )
    descriptors: bool = Field(
        True,
        description="Let trees answer beside the network, by what a metallographer reads off a "
        "site (shape, depth, rim, martensite at its ends and flanks); the mean of both counts. "
        "`compact` weighs these numbers itself as well; networks but these two take none.",
    )
    threshold: float = Field(
        ge=0,
        lt=1,
        description="Probability that must be exceeded; otherwise a site goes on (inclusion) or "
        "stays "
        "`not_classified` (damage).",
    )
    weights: str = Field(
        "none",
        description="What training starts from: `none` for random weights, `imagenet` (for "
        "`inception_v3`, `xception` and `vgg16`), or a file with weights of the same network. "
        "`efficientnet_lite0` always has those of ImageNet: leave `none`.",
    )
    frozen_layers: int = Field(
        0,
        ge=0,
        description="First layers of the network whose weights stay as they were; of use with "
        "`weights` only.",
    )
    head_rate_factor: float = Field(
        1,
        gt=0,
        description="Factor on the learning rate of the last layer, which is new where the others "
        "start from `weights`.",
    )

    @pydantic.model_validator(mode="after")
    def _no_contradiction(self):
        changed = self.weights != "none" or self.frozen_layers or self.head_rate_factor != 1
        if network_named(self.network).frozen and changed:
            raise ValueError(
                f"{self.network} always has the weights of ImageNet and learns its last layer "
                "alone. Set weights to none, frozen_layers to 0 and head_rate_factor to 1, or "
                "choose another network"
            )
        if self.frozen_layers and self.weights == "none":
            raise ValueError(
                f"'frozen_layers: {self.frozen_layers}' with 'weights: none' would keep random "
                "weights. Name weights to start from, or set frozen_layers to 0"
            )
        if self.weights == IMAGENET and self.network not in IMAGENET_NETWORKS:
            raise ValueError(
                f"'weights: {IMAGENET}' are there for {', '.join(IMAGENET_NETWORKS)}, not for "
                f"{self.network}. Set weights to none or to a file"
            )
        return self


class InclusionNetwork(Network):
    """Stage 1: inclusion, or the rest."""

    window: Length = "6 um"
    # Trees on the descriptors of a few inclusions call hardly any site one.
    descriptors: bool = False
    threshold: float = Field(0.5, ge=0, lt=1)


class DamageNetwork(Network):
    """Stage 2: notch, shadowing, interface, martensite."""

    window: Length = "5 um"
    threshold: float = Field(0.3, ge=0, lt=1)


class Training(_Section):
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


class Split(_Section):
    """Which labels train, and which test."""

    group_by: Literal["block", "panorama"] = Field(
        "block",
        description="Labels of one group never fall on both sides. `panorama` is the stricter "
        "test and "
        "needs as many labelled panoramas as folds.",
    )
    block: Length = Field(
        "40 um",
        description="Edge of the spatial blocks for `block`. Keep it wider than the larger "
        "window. For a "
        "grid of tiles, the edge of a tile groups by tile.",
    )
    folds: int = Field(
        5,
        ge=2,
        description="Parts the groups are dealt into. One part validates, the rest trains.",
    )
    cross_validate: bool = Field(
        False,
        description="Also train once a fold and predict every label by networks that never saw "
        "it. Costs "
        "as many trainings as folds and is what a paper should quote.",
    )

    @pydantic.model_validator(mode="after")
    def _folds_for_three_roles(self):
        if self.cross_validate and self.folds < 3:
            raise ValueError(
                "cross_validate needs at least 3 folds: one to test, one to validate, the rest to "
                "train"
            )
        return self


class Statistics(_Section):
    """Intervals."""

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Confidence level of all intervals in tables and figures."
    )
    coverage: float = Field(
        0.9,
        gt=0.5,
        lt=1,
        description="Share of the sites of each class whose set of possible classes must hold the "
        "true one. Higher values give larger sets, and need more labels of each class: 9 for 0.9, "
        "19 for 0.95.",
    )


class Sensitivity(_Section):
    """Grid of values that `snakemake sensitivity` goes through; those of the study join in."""

    threshold: list[Annotated[float, Field(gt=0)]] = Field(
        [0.6, 0.8, 1.0, 1.2, 1.4],
        description="Factors on the threshold of the study. Above 1 more pixels are dark: a higher "
        "grey, or less depth.",
    )
    eps: list[Length] = Field(
        ["1 px", "1.5 px", "2 px", "3 px", "4 px"], description="Values of `detection.eps`."
    )
    min_samples: list[Annotated[int, Field(ge=1)]] = Field(
        [3, 4, 5, 10, 20],
        description="Values of `detection.min_samples`. Those above the number of pixels within "
        "`eps` are left out: no pixel has that many neighbours. Every combination of threshold, "
        "eps and min_samples is another clustering of all panoramas and costs time.",
    )
    minimum_area: list[Area] = Field(
        ["0 px2", "10 px2", "20 px2", "40 px2", "80 px2"],
        description="Values of `detection.minimum_area`. They and the next cost little.",
    )
    merge_distance: list[Length] = Field(
        ["0 um", "0.4 um", "0.8 um", "1.2 um", "2 um"],
        description="Values of `detection.merge_distance`; at 0 um nothing is merged.",
    )


class Study(_Section):
    """A study: one configuration and one sample sheet."""

    study: str = Field(
        "simulated_tensile_series",
        min_length=1,
        description="Name of the study, shown in the report.",
    )
    seed: int = Field(
        20190514,
        ge=0,
        description="Every random choice derives from it. Another seed shows how much a result "
        "depends on chance.",
    )
    data_folder: str = Field(
        ".",
        description="Folder that relative paths in the sample sheet and of label files start from.",
    )
    panoramas: str = Field("config/panoramas.tsv", description="Sample sheet, one row a panorama.")
    strips: int = Field(
        1,
        ge=1,
        le=1000,
        description="Jobs that share the denoising, the search for candidates and the "
        "classification of one panorama. Results are the same; raise it where one job takes hours "
        "and a cluster has room for more. Each job costs some seconds of its own.",
    )
    labels: list[LabelSource] = Field(
        default_factory=list,
        description="Files with labelled sites, for panoramas that are not simulated.",
    )
    simulation: Simulation = Field(default_factory=Simulation)
    denoise: Denoise = Field(default_factory=Denoise)
    preset: Literal[PRESETS] = Field(
        "default",
        description="Parameter set that `detection` and the windows and thresholds of the networks "
        "start from: that of this project, or one of the published ones, see `config/presets`. "
        "Keys given below still override single values.",
    )
    training_preset: Literal[TRAINING_PRESETS] = Field(
        "default",
        description="Networks and their training to start from: those of this project, or one of "
        "the published ones, see `config/presets/training`. Keys given below still override single "
        "values.",
    )
    models: str = Field(
        "train",
        description="`train` learns from your labels. A folder with inclusion.keras, "
        "damage.keras and their cards, as `results/models` of an earlier study, is used as it is, "
        "with its own networks and windows, and needs no labels; labels, if there are any, then "
        "test it, and must not be those it was trained on. `simulated` takes networks trained on "
        "simulated steel only: a first answer, to be checked by labels of your own.",
    )
    detection: Detection = Field(default_factory=Detection)
    inclusion: InclusionNetwork = Field(default_factory=InclusionNetwork)
    damage: DamageNetwork = Field(default_factory=DamageNetwork)
    training: Training = Field(default_factory=Training)
    split: Split = Field(default_factory=Split)
    statistics: Statistics = Field(default_factory=Statistics)
    sensitivity: Sensitivity = Field(default_factory=Sensitivity)

    def stage(self, name: str) -> Network:
        """Return the settings of the `inclusion` or the `damage` network."""
        return {"inclusion": self.inclusion, "damage": self.damage}[name]


def read_preset(name: str) -> dict:
    """Return the values of one of the `PRESETS`, in the nesting of the configuration."""
    return yaml.safe_load((PRESET_FOLDER / f"{name}.yaml").read_text())


def read_training_preset(name: str) -> dict:
    """Return the values of one of the `TRAINING_PRESETS`, in the same nesting."""
    return yaml.safe_load((PRESET_FOLDER / f"training/{name}.yaml").read_text())


def load_study(config: dict, *, source: str = "config") -> Study:
    """Check a configuration and complete it: by its presets first, then by the defaults.

    Parameters
    ----------
    config : dict
        As read from YAML. What it gives has precedence over the presets.
    source : str, optional
        Name of the file, for messages.

    Raises
    ------
    InputError
        With one line for every key that is unknown, missing or out of range.
    """
    preset = config.get("preset", PRESETS[0])
    training_preset = config.get("training_preset", TRAINING_PRESETS[0])
    # An unknown one is told below, together with all other mistakes.
    if training_preset in TRAINING_PRESETS:
        config = _merged(read_training_preset(training_preset), config)
    if preset in PRESETS:
        config = _merged(read_preset(preset), config)
    try:
        return Study.model_validate(config)
    except pydantic.ValidationError as error:
        lines = [_explain(problem) for problem in error.errors()]
        raise InputError(f"{source} cannot be used:\n" + "\n".join(lines)) from error


def _merged(defaults, given):
    """Return nested settings with those given in place of the defaults."""
    both = defaults.keys() & given.keys()
    parts = {
        key: _merged(defaults[key], given[key])
        for key in both
        if isinstance(defaults[key], dict) and isinstance(given[key], dict)
    }
    return defaults | given | parts


def _explain(problem):
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _known_keys(problem["loc"][:-1])
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Known keys here: {', '.join(known)}."
        return f"  {place}: unknown key. {hint}"
    message = problem["msg"].removeprefix("Value error, ")
    if isinstance(problem["input"], dict):
        # Values that do not go together are told in the message.
        return f"  {place}: {message}."
    return f"  {place}: {message} (found: {problem['input']!r})."


def _known_keys(location):
    model = Study
    for part in location:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = LabelSource if annotation == list[LabelSource] else annotation
    return list(model.model_fields)


def derive_seed(seed: int, *purpose: str) -> int:
    """Return a seed for one purpose, the same on every machine and in every order of jobs."""
    digest = hashlib.sha256("/".join([str(seed), *purpose]).encode()).digest()
    return int.from_bytes(digest[:4], "big")
