"""Python helpers of the rules: the checked study, and which files belong to it."""

import os

from damascene import InputError
from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.descriptors import DESCRIPTOR_WINDOW
from damascene.seeds import derive_seed
from damascene.units import area_px, length_px
from damascene.config.simulation import SIMULATED
from damascene.images.sources import needed_megabytes
from damascene.images.stitching.frames import is_stitched
from damascene.images.tiles import WHOLE
from damascene.networks import IMAGENET, network_named
from damascene.jobs.resources import megabytes, memory_limit_mb, seconds, time_limit_minutes
from damascene.jobs.sizes import job_cost, job_size, strip_size
from damascene.jobs.benchmarks import benchmarks_digest
from damascene.jobs.unit_costs import SHIPPED as SHIPPED_UNIT_COSTS
from damascene.jobs.unit_costs import read_unit_costs
from damascene.jobs.fingerprint import library_fingerprint
from damascene.study import models as study_models
from damascene.study.models import model_folder, with_models
from damascene.study.sheet import image_options, read_sheet

# Jobs parse this file again; the images and labels are checked once, before any job starts.
STUDY = with_models(load_study(config, source="The configuration"))
# The report and the jobs see every key, with the defaults of those that were not given.
config.update(STUDY.model_dump())
SHEET = read_sheet(Path(STUDY.panoramas)).set_index("panorama", drop=False)
if workflow.is_main_process:
    from damascene.study.check import check_study

    check_study(STUDY, SHEET)

# A SLURM job parses the rules anew and is told nothing of `--resources gpu=0`, by which it was
# submitted without a GPU. Asking for one within the job would be refused.
GPU_VARIABLES = ("SLURM_GPUS", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "CUDA_VISIBLE_DEVICES")
if not workflow.is_main_process and "SLURM_JOB_ID" in os.environ:
    if not any(os.environ.get(name) for name in GPU_VARIABLES):
        workflow.register_resource("gpu", 0)

# What a job takes, by its size: measured once for all, see benchmarks/README.md.
UNIT_COSTS = read_unit_costs()

PANORAMAS = list(SHEET.index)
SIMULATED_PANORAMAS = [name for name in PANORAMAS if SHEET.path[name] == SIMULATED]
STITCHED_PANORAMAS = [
    name
    for name in PANORAMAS
    if is_stitched(Path(STUDY.data_folder) / SHEET.path[name], SHEET.overlap_percent[name])
]
IMPORTED_PANORAMAS = [
    name for name in PANORAMAS if name not in {*SIMULATED_PANORAMAS, *STITCHED_PANORAMAS}
]
FOLDS = range(STUDY.split.folds) if STUDY.split.cross_validate else range(0)
STAGES = ("inclusion", "damage")
# Whether a network of the study weighs descriptors.
DESCRIBED = any(
    STUDY.stage(stage).descriptors and network_named(STUDY.stage(stage).network).descriptors
    for stage in STAGES
)
# Folder of the networks that classify, trained here or elsewhere.
MODELS = str(model_folder(STUDY) or "results/models")
LABELLED = bool(STUDY.labels or SIMULATED_PANORAMAS)
# All windows from which something about a site is learned.
WINDOWS = [STUDY.stage(stage).window for stage in STAGES]
WINDOWS += [DESCRIPTOR_WINDOW] if DESCRIBED else []
# Networks by the stage and the fold that was kept from their training; that of the final ones is 0.
HELD_OUT_NETWORKS = (
    {
        f"{stage}/{fold}": f"results/models/folds/{stage}.{fold}.keras"
        for stage in STAGES
        for fold in FOLDS
    }
    if FOLDS
    else {f"{stage}/0": f"results/models/{stage}.keras" for stage in STAGES}
)
if MODELS != "results/models":
    # Networks from elsewhere saw none of the labels, so that all of them test.
    HELD_OUT_NETWORKS = {
        f"{stage}/{fold}": f"{MODELS}/{stage}.keras"
        for stage in STAGES
        for fold in range(STUDY.split.folds)
    }
# Largest turns of clips in the two trainings that are compared under other directions of load.
TURNS_DEG = [15, 180]
FIGURES = [
    "density_against_strain",
    "class_shares",
    "size_distributions",
    "gallery",
    *(["training"] if MODELS == "results/models" else []),
    *(["confusion_held_out", "doubt"] if LABELLED else []),
]


def memory(rule, least=None):
    """Return a resource function: the megabytes that a job of a rule asks for.

    They follow from the size of the job and grow with each attempt. `least` is a function of the
    wildcards that gives what a job asks for at least.
    """

    def megabytes_of(wildcards, attempt):
        asked = memory_limit_mb(megabytes(*cost_and_size(rule, wildcards)), attempt=attempt)
        return max(asked, least(wildcards) * attempt) if least else asked

    return megabytes_of


def minutes(rule):
    """Return a resource function: the minutes that a job of a rule asks for, as its memory."""
    return lambda wildcards, attempt: time_limit_minutes(
        seconds(*cost_and_size(rule, wildcards)), attempt=attempt
    )


def cost_and_size(rule, wildcards):
    """Return the unit costs of a rule and the size of a job of it."""
    cost = job_cost(UNIT_COSTS, rule, study=STUDY, stage=wildcards.get("stage"))
    size = job_size(cost, study=STUDY, sheet=SHEET, panorama=wildcards.get("panorama"))
    return cost, strip_size(size, rule, study=STUDY)


def import_megabytes(wildcards):
    """Return the memory of an import, which grows with images that are decoded whole."""
    folder = tile_folder(wildcards.panorama)
    return needed_megabytes(
        source_file(wildcards.panorama),
        tile_folder=Path(folder) if folder else None,
        page=image_options(SHEET.loc[wildcards.panorama])["page"],
    )


def seed(*purpose):
    """Return the seed of one purpose, derived from the study's."""
    return derive_seed(STUDY.seed, *purpose)


def source_file(name):
    """Return the path of a panorama's image, grid file or list of frames."""
    return str(Path(STUDY.data_folder) / SHEET.path[name])


def tile_folder(name):
    """Return the folder of tiles or frames, empty where they lie beside the file that lists them."""
    folder = SHEET.tile_folder[name]
    return str(Path(STUDY.data_folder) / folder) if folder else ""


def label_files(_):
    """Return the label files that the study names; a study without labels has none to evaluate."""
    if not LABELLED:
        raise InputError(
            "This target learns from labelled sites or is tested on them, and the study has none: "
            "add label files under 'labels'."
        )
    return [str(Path(STUDY.data_folder) / source.path) for source in STUDY.labels]


# Where the image lies in which sites are sought and clips are cut.
WORKING_IMAGE = (
    "results/panoramas/{panorama}.ome.tif"
    if STUDY.denoise.method == "none"
    else "results/denoised/{panorama}.ome.tif"
)


def reference_files():
    """Return image and mask of the panorama that matched thresholds take their histogram from."""
    name = STUDY.detection.threshold.reference or PANORAMAS[0]
    return {
        "reference_image": WORKING_IMAGE.format(panorama=name),
        "reference_valid": f"results/panoramas/{name}.valid.ome.tif",
    }


def matched_reference_files():
    """Return them for a study whose own threshold is matched; no other needs them."""
    return reference_files() if STUDY.detection.threshold.rule == "matched" else {}


def other_presets():
    """Return the rules of detection of all presets but the one that the study follows, as JSON."""
    return {
        name: preset.model_dump_json()
        for name in PRESETS
        for preset in [load_study({"preset": name}).detection]
        if preset != STUDY.detection
    }


def network_threads(*stages):
    """Return the threads that the networks of some stages can use."""
    return max(network_named(STUDY.stage(stage).network).threads for stage in stages)


def described(path):
    """Return a file of descriptors, or nothing where no network of the study takes them."""
    return path if DESCRIBED else []


def simulated_sites():
    """Return the table of simulated sites among which trees grow, or nothing without them."""
    return str(study_models.SIMULATED_SITES) if STUDY.training.simulated_sites else []


def unlabelled_files():
    """Return the sites that networks may label by themselves, or nothing where they may not."""
    if not STUDY.training.pseudo_labels:
        return {}
    return {
        "unlabelled": "results/clips/unlabelled_{stage}.parquet",
        "unlabelled_clips": "results/clips/unlabelled_{stage}.npy",
        "unlabelled_descriptors": described("results/clips/unlabelled_{stage}.descriptors.npy"),
    }


def initial_weights(stage):
    """Return the file of weights that the training of a stage starts from, if there is one."""
    weights = STUDY.stage(stage).weights
    return [] if weights in ("none", IMAGENET) else weights


def network_settings(stage, **changes):
    """Return the settings of a stage that its training depends on, as JSON."""
    # Whether a probability suffices is decided later, and networks need not be trained for it.
    changes = {"threshold": 0.0} | changes
    return STUDY.stage(stage).model_copy(update=changes).model_dump_json()


def training_settings(**changes):
    """Return how networks are trained, as JSON."""
    if not FOLDS:
        # The validation fold is all there is to test on: it must not be learned from.
        changes = {"refit": False} | changes
    return STUDY.training.model_copy(update=changes).model_dump_json()


def training_note():
    """Return what must be said of every number that networks trained here give elsewhere."""
    if len(SIMULATED_PANORAMAS) < len(PANORAMAS):
        return ""
    return "Classes by networks that were trained on simulated steel only: a first answer."


def simulated_pixel_size_nm():
    """Return the pixel size of the finest simulated panorama."""
    return float(SHEET.pixel_size_nm[SIMULATED_PANORAMAS].min())


def labelled_px():
    """Return the column of simulated panoramas up to which sites are labelled."""
    return STUDY.simulation.width_px * STUDY.simulation.labelled_fraction


def labelled_until_px():
    """Return the column of simulated panoramas from which no window touches a training window."""
    return labelled_px() + max(
        length_px(window, pixel_size_nm=simulated_pixel_size_nm())
        for window in WINDOWS
    )


def tolerance_px():
    """Return how far a site may lie outside a true outline and still be that site."""
    return length_px("0.4 um", pixel_size_nm=simulated_pixel_size_nm())


def minimum_area_px():
    """Return the detection limit in pixels, below which true sites are not asked for."""
    return area_px(
        STUDY.detection.minimum_area, pixel_size_nm=simulated_pixel_size_nm()
    )


def of_all_strips(pattern):
    """Return a pattern with {strip} for every strip of a panorama, from the top."""
    return expand(pattern, strip=range(STUDY.strips))


def strip_share(wildcards):
    """Return which of how many strips a job works on."""
    return [int(wildcards.strip), STUDY.strips]


def of_all_panoramas(pattern, names=None):
    """Return an input function: a pattern for every panorama, or those named, as in the sheet.

    A function, as jobs parse the rules anew: a thousand paths cost those nothing that have one.
    """
    return lambda _: expand(pattern, panorama=PANORAMAS if names is None else names)


def figure_names():
    """Return the figures of this study."""
    pages = (f"{page}_{name}" for page in ("quality", "overview") for name in PANORAMAS)
    names = [*FIGURES, *pages]
    names += [f"stitching_{name}" for name in STITCHED_PANORAMAS]
    if SIMULATED_PANORAMAS:
        names += ["confusion_truth", "detection_truth"]
    return names


def final_products(_):
    """Return what the default target makes."""
    return [
        *expand("results/sites/{panorama}.parquet", panorama=PANORAMAS),
        *expand("results/figures/{name}.svg", name=figure_names()),
        "results/statistics/densities.tsv",
        "results/statistics/sizes.tsv",
        "results/statistics/headline.txt",
        *(["results/evaluation/scores.tsv"] if LABELLED else []),
        *(["results/evaluation/truth_scores.tsv"] if SIMULATED_PANORAMAS else []),
    ]
