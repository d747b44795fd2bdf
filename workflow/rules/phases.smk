"""Phases: which phase of the steel each pixel of a panorama belongs to.

In:  the image in which sites are sought, its mask of valid pixels; label images of the phases; the network in
     resources/models, or one that the study trains.
Out: models/phases.keras with its card and history, where the study trains it; models/classical_phases
     where a classical method learns;
     phases/{panorama}.ome.tif, 0 outside and then the phases in the order of the configuration, with a JSON
     record; phases/{panorama}.probabilities.ome.tif on request; phase_labels/{panorama}.ome.tif, what people
     or the simulator say; figures/phases_{panorama} as SVG and PNG.
Why: the fraction, the bands and the islands of the hard phase decide where damage nucleates.
"""

PHASES = list(STUDY.segmentation.phases)


rule import_phase_labels:
    """Turn a label image into a phase map, by the grey value that the study gives each phase."""
    input:
        note=f"results/{PHASE_LABEL_NOTE}",
        image="results/panoramas/{panorama}.ome.tif",
    output:
        labels="results/phase_labels/{panorama}.ome.tif",
    log:
        "results/logs/import_phase_labels/{panorama}.log",
    benchmark:
        "results/benchmarks/import_phase_labels/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.phases.images),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("import_phase_labels"),
    params:
        source=untracked(lambda wildcards: str(PLAN.phases.images[wildcards.panorama])),
        legend=legend_of(STUDY),
        unlabelled=STUDY.segmentation.unlabelled,
        library=library("import_phase_labels"),
    script:
        "../scripts/import_phase_labels.py"


rule take_true_phases:
    """Write the phases of simulated steel in the order of the study's phases."""
    input:
        truth="results/truth/{panorama}.phases.ome.tif",
    output:
        labels="results/phase_labels/{panorama}.ome.tif",
    log:
        "results/logs/take_true_phases/{panorama}.log",
    benchmark:
        "results/benchmarks/take_true_phases/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.simulated),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("take_true_phases"),
    params:
        phases=PHASES,
        library=library("take_true_phases"),
    script:
        "../scripts/take_true_phases.py"


rule train_segmentation:
    """Train the network of the study for phase maps: no fold is held out, and fold 0 decides when to stop."""
    input:
        images=of_panoramas(WORKING_IMAGE, PLAN.phases.labelled),
        valid=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.phases.labelled),
        labels=of_panoramas("results/phase_labels/{panorama}.ome.tif", PLAN.phases.labelled),
    output:
        model="results/models/phases.keras",
        card="results/models/phases.json",
        history="results/models/phases.history.tsv",
    log:
        "results/logs/train_segmentation.log",
    benchmark:
        "results/benchmarks/train_segmentation.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("train_segmentation"),
        gpu=1,
    params:
        test_fold=-1,
        settings=phase_settings(),
        panoramas=untracked(PLAN.phases.labelled),
        trained_on=PLAN.phases.trained_on,
        seed=seed("training", "phases"),
        fold_seed=seed(FOLDS_PURPOSE),
        library=library("train_segmentation"),
    script:
        "../scripts/train_segmentation.py"


# A further network, that was kept from a fold: the next fold decides when to stop, the others train.
use rule train_segmentation as train_segmentation_fold with:
    output:
        model="results/models/folds/phases.{fold}.keras",
        card="results/models/folds/phases.{fold}.json",
        history="results/models/folds/phases.{fold}.history.tsv",
    log:
        "results/logs/train_segmentation_fold/{fold}.log",
    benchmark:
        "results/benchmarks/train_segmentation_fold/{fold}.tsv"
    params:
        test_fold=lambda wildcards: int(wildcards.fold),
        settings=phase_settings(),
        panoramas=untracked(PLAN.phases.labelled),
        trained_on=PLAN.phases.trained_on,
        seed=lambda wildcards: seed("training", "phases", wildcards.fold),
        fold_seed=seed(FOLDS_PURPOSE),
        library=library("train_segmentation"),


rule learn_classical_phases:
    """Let multi-Otsu or a forest learn from all labels of the study."""
    input:
        images=of_panoramas(WORKING_IMAGE, PLAN.phases.labelled),
        valid=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.phases.labelled),
        labels=of_panoramas("results/phase_labels/{panorama}.ome.tif", PLAN.phases.labelled),
    output:
        **classical_phase_files(),
    log:
        "results/logs/learn_classical_phases.log",
    benchmark:
        "results/benchmarks/learn_classical_phases.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("learn_classical_phases"),
    params:
        method=STUDY.segmentation.method,
        phases=PHASES,
        panoramas=untracked(PLAN.phases.labelled),
        trained_on=PLAN.phases.trained_on,
        seed=seed("training", "classical phases"),
        library=library("learn_classical_phases"),
    script:
        "../scripts/learn_classical_phases.py"


rule segment_panorama:
    """Give each valid pixel of a panorama its phase."""
    input:
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        model=PLAN.phases.trained_files,
    output:
        **phase_files(),
    log:
        "results/logs/segment_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/segment_panorama/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("segment_panorama"),
        gpu=1,
    params:
        model=untracked(PLAN.phases.model),
        model_content=content(*PLAN.phases.given_files),
        phases=PHASES,
        method=STUDY.segmentation.method,
        damage_phase=STUDY.segmentation.damage_phase,
        library=library("segment_panorama"),
    script:
        "../scripts/segment_panorama.py"


rule draw_phases:
    """Draw the phases of a panorama beside its image, whole and in detail."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        phases="results/phases/{panorama}.ome.tif",
        record="results/phases/{panorama}.json",
    output:
        svg="results/figures/phases_{panorama}.svg",
        png=report(
            "results/figures/phases_{panorama}.png",
            caption="../report/phases.rst",
            category="Phases",
            labels={"item": "Phases of {panorama}"},
        ),
    log:
        "results/logs/draw_phases/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_phases/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_phases"),
    params:
        colours={name: phase.colour for name, phase in STUDY.segmentation.phases.items()},
        damage_phase=STUDY.segmentation.damage_phase,
        library=library("draw_phases"),
    script:
        "../scripts/draw_phases.py"
