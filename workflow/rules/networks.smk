"""Networks: train the inclusion and the damage network, and calibrate them on labels they never saw.

In:  clips/*.npy, labels/split.parquet and labels/descriptors.parquet; clips/unlabelled_* where networks label
     further sites by themselves.
Out: clips/*.features.npy, what frozen layers see in the clips; models/{stage}.keras with a JSON card and its
     training history; models/held_out.parquet, what they say of labels they never saw; models/calibration.json;
     figures/training.svg and .png.
Why: stage 1 sets inclusions apart, which are no deformation damage; stage 2 names the damage.
"""


rule look_at_labels:
    """Pass all labelled sites, and changed copies of them, through the frozen layers of a network once.

    All networks that are trained learn from it: those of all folds, and of both stages where these
    share their clips.
    """
    input:
        clips="results/clips/{stage}.npy",
    output:
        features="results/clips/{stage}.features.npy",
    log:
        "results/logs/look_at_labels/{stage}.log",
    benchmark:
        "results/benchmarks/look_at_labels/{stage}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: lambda wildcards: network_threads(wildcards.stage)
    resources:
        **needs("look_at_labels"),
        gpu=1,
    params:
        network=lambda wildcards: STUDY.stage(wildcards.stage).network,
        augmentation=STUDY.training.augmentation,
        rotation_deg=STUDY.training.rotation_deg,
        weights_content=lambda wildcards: content(*initial_weights(wildcards.stage)),
        seed=lambda wildcards: seed("look", wildcards.stage),
        library=library("look_at_labels"),
    script:
        "../scripts/look_at_labels.py"


rule train_network:
    """Train the final network of a stage: no fold is held out, and fold 0 decides when to stop.

    What it learns from does not depend on what is tested: see `train_fold`.
    """
    input:
        **unlabelled_files(),
        clips=lambda wildcards: clips_of(wildcards.stage),
        features=lambda wildcards: features_of(wildcards.stage),
        descriptors=described("results/labels/descriptors.parquet"),
        split="results/labels/split.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        # For the fingerprints of the training sites, which no denoiser may change.
        steel=of_panoramas("results/panoramas/{panorama}.ome.tif", PLAN.labelled),
    output:
        model="results/models/{stage}.keras",
        card="results/models/{stage}.json",
        history="results/models/{stage}.history.tsv",
    log:
        "results/logs/train_network/{stage}.log",
    benchmark:
        "results/benchmarks/train_network/{stage}.tsv"
    conda:
        "../envs/damascene.yaml"
    # Where the labels were looked at before, only a last layer and trees are left.
    threads: lambda wildcards: 1 if features_of(wildcards.stage) else network_threads(wildcards.stage)
    resources:
        **needs("train_network"),
        gpu=1,
    params:
        test_fold=-1,
        folds=STUDY.split.folds,
        settings=lambda wildcards: network_settings(wildcards.stage),
        training=training_settings(),
        note=PLAN.training_note,
        windows=PLAN.windows,
        panoramas=untracked(PLAN.labelled),
        simulated=untracked(simulated_sites()),
        simulated_content=content(*simulated_sites()),
        weights_content=lambda wildcards: content(*initial_weights(wildcards.stage)),
        seed=lambda wildcards: seed("training", wildcards.stage),
        library=library("train_network"),
    script:
        "../scripts/train_network.py"


# A further network, that was kept from a fold: the next fold decides when to stop, the others train.
use rule train_network as train_fold with:
    output:
        model="results/models/folds/{stage}.{fold}.keras",
        card="results/models/folds/{stage}.{fold}.json",
        history="results/models/folds/{stage}.{fold}.history.tsv",
    log:
        "results/logs/train_fold/{stage}.{fold}.log",
    benchmark:
        "results/benchmarks/train_fold/{stage}.{fold}.tsv"
    params:
        test_fold=lambda wildcards: int(wildcards.fold),
        folds=STUDY.split.folds,
        settings=lambda wildcards: network_settings(wildcards.stage),
        training=training_settings(),
        note=PLAN.training_note,
        windows=PLAN.windows,
        panoramas=untracked(PLAN.labelled),
        simulated=untracked(simulated_sites()),
        simulated_content=content(*simulated_sites()),
        weights_content=lambda wildcards: content(*initial_weights(wildcards.stage)),
        seed=lambda wildcards: seed("training", wildcards.stage, wildcards.fold),
        library=library("train_network"),


rule predict_held_out:
    """Classify labelled sites with networks that were not trained on them.

    It waits for the networks of all folds with a cross-validation, for those of the first one
    without, and for nothing where networks are given.
    """
    input:
        split="results/labels/split.parquet",
        inclusion_clips=clips_of("inclusion"),
        damage_clips=clips_of("damage"),
        descriptors=described("results/labels/descriptors.parquet"),
        models=network_files(PLAN.held_out_networks.values()),
    output:
        predictions="results/models/held_out.parquet",
    log:
        "results/logs/predict_held_out.log",
    benchmark:
        "results/benchmarks/predict_held_out.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("inclusion", "damage")
    resources:
        **needs("predict_held_out"),
        gpu=1,
    params:
        networks=untracked(PLAN.held_out_networks),
        networks_content=content(*PLAN.given_model_files),
        inclusion_threshold=STUDY.inclusion.threshold,
        damage_threshold=STUDY.damage.threshold,
        library=library("predict_held_out"),
    script:
        "../scripts/predict_held_out.py"


rule calibrate_networks:
    """Fit what turns the networks' answers into probabilities and into sets of classes."""
    input:
        predictions="results/models/held_out.parquet",
    output:
        calibration="results/models/calibration.json",
    log:
        "results/logs/calibrate_networks.log",
    benchmark:
        "results/benchmarks/calibrate_networks.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("calibrate_networks"),
    params:
        coverage=STUDY.statistics.coverage,
        tested=PLAN.tested,
        library=library("calibrate_networks"),
    script:
        "../scripts/calibrate_networks.py"


rule draw_training:
    """Draw loss and accuracy of both networks over the epochs, with the epoch that was kept."""
    input:
        inclusion="results/models/inclusion.history.tsv",
        damage="results/models/damage.history.tsv",
    output:
        svg="results/figures/training.svg",
        png=report(
            "results/figures/training.png",
            caption="../report/training.rst",
            category="Classification",
            labels={"item": "Training"},
        ),
    log:
        "results/logs/draw_training.log",
    benchmark:
        "results/benchmarks/draw_training.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_training"),
    params:
        library=library("draw_training"),
    script:
        "../scripts/draw_training.py"
