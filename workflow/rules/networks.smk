"""Networks: train the inclusion and the damage network, and test them on labels they never saw.

In:  clips/{stage}.npy, labels/split.parquet and labels/descriptors.npy; clips/unlabelled_* where networks label
     further sites by themselves.
Out: models/{stage}.keras with a JSON card and its training history; evaluation/*.tsv.
Why: stage 1 sets inclusions apart, which are no deformation damage; stage 2 names the damage.
"""


rule train_network:
    """Train the network of a stage; fold 0 decides when to stop, the other folds train."""
    input:
        **unlabelled_files(),
        clips="results/clips/{stage}.npy",
        descriptors=described("results/labels/descriptors.npy"),
        simulated=described(simulated_sites()),
        weights=lambda wildcards: initial_weights(wildcards.stage),
        split="results/labels/split.parquet",
        records=of_all_panoramas("results/panoramas/{panorama}.json"),
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
    threads: lambda wildcards: network_threads(wildcards.stage)
    resources:
        gpu=1,
        mem_mb=memory("train_network"),
        runtime=minutes("train_network"),
    params:
        # No fold is held out for testing.
        test_fold=-1,
        folds=STUDY.split.folds,
        settings=lambda wildcards: network_settings(wildcards.stage),
        training=training_settings(),
        note=training_note(),
        windows=WINDOWS,
        seed=lambda wildcards: seed("training", wildcards.stage),
        library=library_fingerprint("train_network"),
    script:
        "../scripts/train_network.py"


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
        note=training_note(),
        windows=WINDOWS,
        seed=lambda wildcards: seed("training", wildcards.stage, wildcards.fold),
        library=library_fingerprint("train_network"),


rule evaluate_networks:
    """Classify labelled sites with networks that were not trained on them, and score the answers."""
    input:
        split="results/labels/split.parquet",
        inclusion_clips="results/clips/inclusion.npy",
        damage_clips="results/clips/damage.npy",
        descriptors=described("results/labels/descriptors.npy"),
        models=list(HELD_OUT_NETWORKS.values()),
        cards=[path.replace(".keras", ".json") for path in HELD_OUT_NETWORKS.values()],
    output:
        predictions="results/evaluation/predictions.parquet",
        scores="results/evaluation/scores.tsv",
        confusion="results/evaluation/confusion.tsv",
    log:
        "results/logs/evaluate_networks.log",
    benchmark:
        "results/benchmarks/evaluate_networks.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("inclusion", "damage")
    resources:
        gpu=1,
        mem_mb=memory("evaluate_networks"),
        runtime=minutes("evaluate_networks"),
    params:
        networks=list(HELD_OUT_NETWORKS),
        batch_size=64,
        inclusion_threshold=STUDY.inclusion.threshold,
        damage_threshold=STUDY.damage.threshold,
        confidence=STUDY.statistics.confidence,
        seed=seed("evaluation"),
        library=library_fingerprint("evaluate_networks"),
    script:
        "../scripts/evaluate_networks.py"


rule measure_doubt:
    """Hold the networks' probabilities against the labels they never saw, and make sets of classes."""
    input:
        predictions="results/evaluation/predictions.parquet",
    output:
        reliability="results/evaluation/reliability.tsv",
        calibration="results/evaluation/calibration.tsv",
        coverage="results/evaluation/label_sets.tsv",
        doubt="results/evaluation/doubt.json",
    log:
        "results/logs/measure_doubt.log",
    benchmark:
        "results/benchmarks/measure_doubt.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("measure_doubt"),
        runtime=minutes("measure_doubt"),
    params:
        level=STUDY.statistics.coverage,
        confidence=STUDY.statistics.confidence,
        seed=seed("doubt"),
        library=library_fingerprint("measure_doubt"),
    script:
        "../scripts/measure_doubt.py"
