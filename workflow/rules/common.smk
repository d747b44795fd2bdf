"""Python helpers of the rules: the checked study, its plan, and what a job of a rule needs."""

import os
from functools import cache

from damascene.classes import STAGES
from damascene.config.denoising import CALIBRATED, CLASSICAL
from damascene.config.presets import PRESETS
from damascene.config.study import load_study
from damascene.config.workshop import PICTURE_SETS
from damascene.images.grids import is_table
from damascene.images.source_files import files_in
from damascene.images.sources import needed_megabytes
from damascene.images.tiles import WHOLE
from damascene.jobs import fingerprint
from damascene.jobs.benchmarks import benchmarks_are_older, benchmarks_digest
from damascene.jobs.resources import megabytes, memory_limit_mb, seconds, time_limit_minutes
from damascene.jobs.sizes import job_cost, job_size, strip_size
from damascene.jobs.unit_costs import SHIPPED as UNIT_COSTS_FILE
from damascene.jobs.unit_costs import read_unit_costs
from damascene.labels import LABEL_TOLERANCE
from damascene.ledger import SHIPPED as PUBLICATIONS
from damascene.networks import IMAGENET, network_named
from damascene.review import SHEET_TEMPLATE
from damascene.seeds import derive_seed
from damascene.segmentation.parts import FOLDS_PURPOSE
from damascene.study.denoising_plan import TRAINED_METHODS
from damascene.study.dropped import with_dropped_labels
from damascene.study.models import CLASSICAL_PHASES, CLASSICAL_PIXELS, SIMULATED_SITES
from damascene.study.models import clips_by_stage, looks_once, with_models
from damascene.study.phase_labels import PHASE_LABEL_NOTE, legend_of
from damascene.study.plan import TRUTH_TOLERANCE, plan_study
from damascene.study.sources import LABEL_NOTE, PAIR_NOTE, PANORAMA_NOTE, label_digest
from damascene.study.sheet import image_options, read_sheet, row_of
from damascene.workshop.picture_files import files_seen, vain_fetch

# Jobs parse this file again; the images and labels are checked once, before any job starts.
with told_alone():
    STUDY = with_models(load_study(config, source="The configuration"))
    # The report and the jobs see every key, with the defaults of those that were not given.
    config.update(STUDY.model_dump())
    STUDY = with_dropped_labels(STUDY)
    SHEET = read_sheet(Path(STUDY.panoramas))
    if workflow.is_main_process:
        from damascene.study.check import check_study

        # The plan asks what the check found out about the labels.
        notes = check_study(STUDY, SHEET.set_index("panorama", drop=False))
    PLAN = plan_study(STUDY, SHEET)
if workflow.is_main_process:
    from damascene.ledger.publications import read_publications
    from damascene.study.filled_sheet import keep_filled_sheet
    from damascene.study.other_versions import other_versions
    from damascene.study.phase_labels import note_phase_labels
    from damascene.study.sources import note_sources
    from damascene.study.stale import lost_memory, stale_statistics

    with told_alone():
        notes = [
            *notes,
            *note_sources(PLAN),
            *note_phase_labels(STUDY, PLAN.sheet),
            *PLAN.doubts_of_test,
            *keep_filled_sheet(),
            lost_memory(),
            stale_statistics(),
            *other_versions(),
        ]
    for line in notes:
        if line:
            print(line, file=sys.stderr)

# The name under which the state of these labels is kept.
LABELS = label_digest(PLAN)

# A SLURM job parses the rules anew and is told nothing of `--resources gpu=0`, by which it was
# submitted without a GPU. Asking for one within the job would be refused.
GPU_VARIABLES = ("SLURM_GPUS", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "CUDA_VISIBLE_DEVICES")
if not workflow.is_main_process and "SLURM_JOB_ID" in os.environ:
    if not any(os.environ.get(name) for name in GPU_VARIABLES):
        workflow.register_resource("gpu", 0)

# What a job takes, by its size: measured once for all, see benchmarks/README.md.
UNIT_COSTS = read_unit_costs()
# Where the image lies in which sites are sought and clips are cut.
WORKING_IMAGE = (
    "results/panoramas/{panorama}.ome.tif"
    if STUDY.denoise.method == "none"
    else "results/denoised/{panorama}.ome.tif"
)
# Clips that each stage is shown, by the stage whose name they bear.
CLIPS = clips_by_stage(STUDY)
# Largest turns of clips in the two trainings that are compared under other directions of load.
TURNS_DEG = [15, 180]


def needs(rule, least=None):
    """Return the memory and the time that a job of a rule asks for, as its `resources`.

    They follow from the size of the job and grow with each attempt. `least` is a function of the
    wildcards that gives the megabytes that a job asks for at least.
    """

    def mem_mb(wildcards, attempt):
        asked = memory_limit_mb(megabytes(*cost_and_size(rule, wildcards)), attempt=attempt)
        return max(asked, least(wildcards) * attempt) if least else asked

    def runtime(wildcards, attempt):
        return time_limit_minutes(seconds(*cost_and_size(rule, wildcards)), attempt=attempt)

    return {"mem_mb": mem_mb, "runtime": runtime}


def cost_and_size(rule, wildcards):
    """Return the unit costs of a rule and the size of a job of it."""
    cost = job_cost(UNIT_COSTS, rule, study=STUDY, stage=wildcards.get("stage"))
    size = job_size(cost, study=STUDY, sheet=PLAN.sheet, panorama=wildcards.get("panorama"))
    return cost, strip_size(size, rule, study=STUDY)


def import_megabytes(wildcards):
    """Return the memory of an import, which grows with images that are decoded whole."""
    name = wildcards.panorama
    return needed_megabytes(
        PLAN.source_file(name),
        tile_folder=PLAN.tile_folder(name),
        page=image_options(PLAN.sheet.loc[name])["page"],
    )


def library(script):
    """Return the fingerprint of the code behind a rule; jobs do not ask whether they must run."""
    return fingerprint.library_fingerprint(script) if workflow.is_main_process else ""


def content(*paths):
    """Return the fingerprint of what files hold, for those that `untracked` names."""
    with told_alone():
        return fingerprint.content_digest(*paths) if workflow.is_main_process else ""


def untracked(value):
    """Return a value, or a function of the wildcards, as a param from which no rerun follows.

    For places: data may move. What the files hold is tracked by `content`, by the notes about the
    user's files, or by the inputs. The engine does not track params that ask for the output.
    """
    return lambda wildcards, output: value(wildcards) if callable(value) else value


def seed(*purpose):
    """Return the seed of one purpose, derived from the study's."""
    return derive_seed(STUDY.seed, *purpose)


def sheet_number(column):
    """Return a function of the wildcards: a number of the panorama's row in the sheet."""
    return lambda wildcards: float(PLAN.sheet.loc[wildcards.panorama, column])


def label_note(_):
    """Return the note of the label files; a study without any has nothing to learn from."""
    if not PLAN.labelled:
        refuse(
            "This target learns from labelled sites or is tested on them, and the study has none: "
            "add label files under 'labels'."
        )
    return f"results/{LABEL_NOTE}" if PLAN.label_files else []


def labels_to_split(_):
    """Return the table of labels, if they suffice to be divided into parts."""
    if PLAN.labelled and not PLAN.has_labels:
        refuse(
            "This target learns from labelled sites or is tested on them, and the study has too "
            f"few. {PLAN.few.reason}"
        )
    return "results/labels/labels.parquet"


def labels_key(_):
    """Return what the division of the labels hangs on, for the note that it leaves if it fails."""
    from damascene.study.few_tied_labels import tied_labels_key

    return tied_labels_key(PLAN)


def all_held_out(_):
    """Return the answers to all labels by networks that were not trained on them."""
    if not (PLAN.trains and STUDY.split.cross_validate):
        refuse(
            "This target compares scores on all labels under other settings of the training: set "
            "'split: cross_validate: true' in a study that trains its networks."
        )
    return "results/models/held_out.parquet"


def labels_of(panorama):
    """Return the table of labels, or nothing where a panorama has none."""
    return "results/labels/labels.parquet" if panorama in PLAN.labelled else []


def simulated_panoramas(pattern):
    """Return an input function: a pattern for every simulated panorama; a study needs one."""

    def paths(_):
        if not PLAN.simulated:
            refuse(
                "This target compares sites with the truth, which only simulated panoramas have: "
                "add rows with the path 'simulated' to the sample sheet, or a study of them."
            )
        return expand(pattern, panorama=PLAN.simulated)

    return paths


def source_places():
    """Return params with the place of a panorama's source and how to read it."""
    return {
        "source": untracked(lambda wildcards: str(PLAN.source_file(wildcards.panorama))),
        "tile_folder": untracked(lambda wildcards: str(PLAN.tile_folder(wildcards.panorama) or "")),
        "options": lambda wildcards: image_options(PLAN.sheet.loc[wildcards.panorama]),
        "pixel_size_nm": sheet_number("pixel_size_nm"),
        "pixel_size_overrides_header": lambda wildcards: bool(
            PLAN.sheet.loc[wildcards.panorama, "pixel_size_overrides_header"]
        ),
        "overlap_percent": sheet_number("overlap_percent"),
    }


def of_denoiser(pattern, method=None):
    """Return an input function: a pattern for all that a denoising network learns from.

    With a method, for networks of that method alone.
    """

    def paths(wildcards):
        if method not in (None, wildcards.method):
            return []
        names = PLAN.denoising.learned_from(wildcards.method, wildcards.condition)
        if not names:
            refuse(
                "No panorama of this noise condition has a second scan in the column 'paired_scan' "
                "of the sample sheet, from which a network could learn to denoise."
            )
        return expand(pattern, panorama=names)

    return paths


def denoiser_files(wildcards):
    """Return network and card that denoise a panorama, where the study trains them."""
    return PLAN.denoising.network_files(STUDY.denoise.method, wildcards.panorama)


def denoiser_path(wildcards, output):
    """Return the network that denoises a panorama; no rerun follows from where it lies."""
    return PLAN.denoising.network(STUDY.denoise.method, wildcards.panorama)


def denoiser_card(wildcards, output):
    """Return its card, or nothing where a filter denoises."""
    if not PLAN.denoising.learned:
        return ""
    return denoiser_path(wildcards, output).replace(".keras", ".json")


def comparable_panoramas(pattern):
    """Return an input function: a pattern for the panoramas on which denoisers are compared."""

    def paths(_):
        if not PLAN.comparison.names:
            refuse(
                "This target compares denoisers by sites that are known to be real. Use simulated "
                "panoramas, name slow scans under 'paired_scan' in the sample sheet, or, if panoramas "
                "have little noise themselves, set 'compare_denoising: added_noise: gamma'."
            )
        return expand(pattern, panorama=PLAN.comparison.names)

    return paths


def truth_of(panorama):
    """Return the true sites of a panorama, or nothing where it is not simulated."""
    return f"results/truth/{panorama}.parquet" if panorama in PLAN.simulated else []


def clean_pair_of(panorama):
    """Return image, mask and record of the second scan that shows which sites are real, if one does."""
    if panorama in PLAN.simulated or STUDY.compare_denoising.added_noise != "none":
        return []
    return [
        f"results/paired/{panorama}.{suffix}" for suffix in ("ome.tif", "valid.ome.tif", "json")
    ]


def compared_methods(wildcards, output):
    """Return the denoisers that are compared, each with its options; networks may move."""
    strength, plan = STUDY.denoise.strength, PLAN.denoising
    options = {"none": {}}
    for name in PLAN.comparison.methods:
        if name in CLASSICAL:
            options[name] = {"strength": strength}
        elif name != "none":
            # What hidden pixels tell of a filter, a network has learned.
            fixed = 1.0 if strength == CALIBRATED else strength
            options[name] = {"strength": fixed, "network": plan.network(name, wildcards.panorama)}
    return options


def compared_networks(wildcards):
    """Return the networks among them that the study trains, and their cards."""
    return [
        path
        for name in PLAN.comparison.methods
        for path in PLAN.denoising.network_files(name, wildcards.panorama)
    ]


def paired_cell(wildcards):
    """Return where the sheet names the second scan of a panorama, for messages."""
    row = row_of(wildcards.panorama, Path(STUDY.panoramas))
    return f"{STUDY.panoramas}, row {row}, column 'paired_scan'"


def reference_files():
    """Return image and mask of the panorama that matched thresholds take their histogram from."""
    name = STUDY.detection.threshold.reference or PLAN.panoramas[0]
    return {
        "reference_image": WORKING_IMAGE.format(panorama=name),
        "reference_valid": f"results/panoramas/{name}.valid.ome.tif",
    }


def matched_reference_files():
    """Return them for a study whose own threshold is matched; no other needs them."""
    return reference_files() if STUDY.detection.threshold.rule == "matched" else {}


def grey_scale():
    """Return the note on the grey scales of a study, which there is only where panoramas agree.

    Numbers of several panoramas wait for it; their candidates do not, so that a panorama that
    cannot be read holds up no other. Simulated panoramas have one grey scale anyway.
    """
    return ["results/panoramas/grey_scale.txt"] if PLAN.read else []


def merge_distance():
    """Return the distance within which the detection makes one site of two."""
    return "0 um" if STUDY.detection.merge == "none" else STUDY.detection.merge_distance


def other_presets():
    """Return the detection parameters of all presets except the study's own, as JSON."""
    return {
        name: preset.model_dump_json()
        for name in PRESETS
        for preset in [load_study({"preset": name}).detection]
        if preset != STUDY.detection
    }


def all_presets():
    """Return the detection parameters of all presets, as JSON."""
    return {name: load_study({"preset": name}).detection.model_dump_json() for name in PRESETS}


def checked_publications():
    """Return the fingerprint of the published numbers; wrong rows are told before any work."""
    if workflow.is_main_process:
        with told_alone():
            read_publications(PUBLICATIONS)
    return content(*map(str, sorted(PUBLICATIONS.glob("*.tsv"))))


def public_data_seen():
    """Return which files lie in the folder of public data: more of them give more numbers."""
    folder = Path(STUDY.reproduce.folder)
    return " ".join(sorted(path.name for path in folder.glob("*"))) if folder.is_dir() else ""


def digit_scores(names):
    """Return the tables of scores on sets of small pictures."""
    return expand("results/ledger/scores/{dataset}.tsv", dataset=dict.fromkeys(names))


def scored_digits(_):
    """Return those that the study asks for, and those that were made once."""
    return [
        *digit_scores(STUDY.reproduce.scores),
        *(
            path
            for name in PICTURE_SETS
            if name not in STUDY.reproduce.scores and Path(path := digit_scores([name])[0]).exists()
        ),
    ]


def digit_folders(wildcards):
    """Return where the files of a set of small pictures are sought, in turn."""
    folder = Path(STUDY.reproduce.folder)
    places = [folder / wildcards.dataset, folder, STUDY.workshop.digits_folder]
    return [str(place) for place in places if str(place)]


def vain_fetch_note(wildcards):
    """Return where a job notes that pictures could not be fetched.

    No product, as these are removed before their jobs run again.
    """
    return f"results/ledger/scores/{wildcards.dataset}.not_fetched.txt"


# The engine asks again while the job runs, which may change the note.
@cache
def digit_state(dataset, *folders, note):
    """Return which files of small pictures lie there, and when others could not be fetched."""
    return "; ".join([*files_seen(dataset, folders=folders), vain_fetch(note)])


def digit_files_seen(wildcards):
    """Return which files lie there: what was missing, or could not be fetched, may be there now."""
    return digit_state(
        wildcards.dataset, *digit_folders(wildcards), note=vain_fetch_note(wildcards)
    )


def network_threads(*stages):
    """Return the threads that the networks of some stages can use."""
    return max(network_named(STUDY.stage(stage).network).threads for stage in stages)


def described(path):
    """Return a file of descriptors, or nothing where no network of the study takes them."""
    return path if PLAN.described else []


def clips_of(stage):
    """Return the clips that a stage is shown."""
    return f"results/clips/{CLIPS[stage]}.npy"


def features_of(stage):
    """Return what frozen layers saw in the clips of a stage, or nothing where each training looks itself."""
    return f"results/clips/{CLIPS[stage]}.features.npy" if looks_once(STUDY, stage) else []


def simulated_sites():
    """Return the tables of simulated sites among which trees grow: one, or none."""
    return [str(SIMULATED_SITES)] if PLAN.described and STUDY.training.simulated_sites else []


def unlabelled_files():
    """Return the sites that networks may label by themselves, or nothing where they may not."""
    if not STUDY.training.pseudo_labels:
        return {}
    return {
        "unlabelled": "results/clips/unlabelled_{stage}.parquet",
        "unlabelled_clips": "results/clips/unlabelled_{stage}.npy",
        "unlabelled_descriptors": described("results/clips/unlabelled_{stage}.descriptors.parquet"),
    }


def initial_weights(stage):
    """Return the files of weights that the training of a stage starts from: one, or none.

    Of those that are fetched or installed the checksum is part of the library.
    """
    shipped = network_named(STUDY.stage(stage).network).weights_file
    weights = STUDY.stage(stage).weights
    named = [] if weights in ("none", IMAGENET) else [weights]
    return named if shipped is None else [str(shipped), *named]


def phase_files():
    """Return what is written of the phases of a panorama."""
    files = {
        "phases": "results/phases/{panorama}.ome.tif",
        "record": "results/phases/{panorama}.json",
    }
    if STUDY.segmentation.probabilities:
        files["probabilities"] = "results/phases/{panorama}.probabilities.ome.tif"
    return files


def network_settings(stage, **changes):
    """Return the settings of a stage that its training depends on, as JSON."""
    # Whether a probability suffices is decided later, and networks need not be trained for it.
    changes = {"threshold": 0.0} | changes
    return STUDY.stage(stage).model_copy(update=changes).model_dump_json()


def classical_phase_files():
    """Return what a classical method leaves of what it learned: the pixels only for a forest."""
    files = {"record": CLASSICAL_PHASES}
    if STUDY.segmentation.method == "random_forest":
        files["pixels"] = CLASSICAL_PIXELS
    return files


def phase_settings():
    """Return how a network for phase maps is trained, as JSON; what becomes of its answers later."""
    return STUDY.segmentation.model_copy(update={"probabilities": False}).model_dump_json()


def phase_labelled(pattern):
    """Return an input function: a pattern for every panorama whose phases are known at some pixels."""

    def paths(_):
        if STUDY.segmentation.method == "none" or not PLAN.phases.labelled:
            refuse(
                "This target is tested on known phases, and the study has none: name label images in "
                "the column 'phase_labels' of the sample sheet, or simulate a panorama, and set "
                "'segmentation: method'."
            )
        return expand(pattern, panorama=PLAN.phases.labelled)

    return paths


def tested_phase_files(wildcards, trained):
    """Return a tested network and its card, if this study trains it, or if it does not."""
    path = PLAN.phases.tested_network(wildcards.method, wildcards.fold)
    if trained != (wildcards.method == STUDY.segmentation.network):
        return []
    if trained and STUDY.segmentation.folds < 3:
        refuse(
            "A network is tested on a fold, stopped by another and trained on the others, and "
            "'segmentation: folds' is 2. Give 3 or more."
        )
    return [path, path.replace(".keras", ".json")]


def phase_tests(pattern):
    """Return a pattern for every method that tells phases, networks first, and every fold."""
    methods = (*PLAN.phases.networks, *PLAN.phases.rivals)
    return expand(pattern, method=methods, fold=PLAN.phases.test_folds)


# Last layers alone are quick enough to learn from many parts of the labels.
REFITS_LAST_LAYERS = PLAN.trains and all(
    network_named(STUDY.stage(stage).network).frozen for stage in STAGES
)


def training_settings(**changes):
    """Return how networks are trained, as JSON."""
    return STUDY.training.model_copy(update=changes).model_dump_json()


def network_files(paths):
    """Return networks and their cards as inputs, where this study trains them."""
    if not PLAN.trains:
        return []
    return [name for path in paths for name in (path, path.replace(".keras", ".json"))]


def of_all_strips(pattern):
    """Return a pattern with {strip} for every strip of a panorama, from the top."""
    return expand(pattern, strip=range(STUDY.strips))


def which_strip(wildcards):
    """Return which of how many strips a job works on."""
    return [int(wildcards.strip), STUDY.strips]


def of_panoramas(pattern, names=PLAN.panoramas):
    """Return an input function: a pattern for every panorama, or those named, in their order.

    A function, as jobs parse the rules anew: a thousand paths cost those nothing that have one.
    """
    return lambda _: expand(pattern, panorama=names)


def only(names):
    """Return a wildcard constraint for panoramas of one kind."""
    # A dot is in no name.
    return "|".join(names) or r"\."


def exported_files(_):
    """Return what is exported of every panorama; a study without classes has nothing."""
    if not PLAN.classifies:
        refuse(
            "This target writes the classes of sites for other tools, and the study has none. "
            f"{PLAN.unclassified}"
        )
    patterns = rules.export_panorama.output
    found = [path for pattern in patterns for path in expand(pattern, panorama=PLAN.panoramas)]
    return found + expand(rules.export_tiles.output.voc, panorama=TILED)


def analyses_that_ran(_):
    """Return the products of analyses that have run once; from then on they belong to the study.

    So the report holds them without their names, and none of them, nor the report itself, is older
    than its data. Files for other tools, and the pages on which sites are looked at and labelled,
    belong together: where one is there all of them are made, also for panoramas that came later.
    The costs stay out as soon as jobs have run after them: they would follow themselves in every run.
    """
    targets = [rules.sensitivity.input, rules.reproduce.input]
    if PLAN.classifies:
        targets.append(rules.explanation.input)
    if PLAN.has_labels:
        targets += [rules.evaluation.input, rules.classifiers.input, rules.load_direction.input]
        targets.append(rules.nested_selection.input)
    if PLAN.comparison.names:
        targets.append(rules.compare_denoising.input)
    targets.append(rules.report.input)
    if benchmarks_are_older("results/figures/costs.svg"):
        targets.append(["results/figures/costs.svg"])
    whole = [*([exported_files(None)] if PLAN.classifies else []), viewer_files(None)]
    whole.append(rules.review.input)
    ran = [path for target in targets for path in target if Path(path).exists()]
    return ran + [
        path for target in whole if any(Path(each).exists() for each in target) for path in target
    ]
