"""Labels: positions that a person called by their class, made ready for training.

In:  label files, labels drawn from the truth of simulated panoramas; candidates and working images
     of the panoramas that have labels, and of no others.
Out: labels/answers.parquet (all that people said, tied to candidates), labels/labels.parquet (one a site),
     labels/counts.txt (how many there are), labels/positions.tsv and notes.txt (how many lie on candidates, and what
     to know of them),
     labels/orphans.tsv (answers that belong to no site), labels/contradictions.tsv,
     labels/held_out_check.tsv, labels/split.parquet (groups and folds), clips/*.npy,
     labels/descriptors.parquet; clips/unlabelled_* for `training.pseudo_labels`.
Why: whatever is trained or scored later uses the same labels, the same folds and the same pixels.
"""


rule draw_labels:
    """Label some sites of a simulated panorama, as an annotator with limited time would."""
    input:
        truth="results/truth/{panorama}.parquet",
    output:
        labels="results/labels/{panorama}.tsv",
    log:
        "results/logs/draw_labels/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_labels/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.simulated),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_labels"),
    params:
        width_px=STUDY.simulation.width_px,
        labelled_fraction=STUDY.simulation.labelled_fraction,
        labels_per_class=STUDY.simulation.labels_per_class,
        minimum_area=STUDY.detection.minimum_area,
        pixel_size_nm=sheet_number("pixel_size_nm"),
        seed=lambda wildcards: seed("labels", wildcards.panorama),
        library=library("draw_labels"),
    script:
        "../scripts/draw_labels.py"


rule collect_labels:
    """Bring all answers into one table, tie each to the candidate it means, and let them vote."""
    input:
        note=label_note,
        drawn=of_panoramas("results/labels/{panorama}.tsv", PLAN.simulated),
        candidates=of_panoramas("results/candidates/{panorama}.parquet", PLAN.labelled),
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.labelled),
        images=of_panoramas("results/panoramas/{panorama}.ome.tif", PLAN.labelled),
        frames=of_panoramas("results/panoramas/{panorama}.frames.tsv", PLAN.labelled_stitched),
    output:
        answers="results/labels/answers.parquet",
        labels="results/labels/labels.parquet",
        positions=report(
            "results/labels/positions.tsv",
            caption="../report/positions.rst",
            category="Classification",
            labels={"item": "Where labels lie"},
        ),
        orphans=report(
            "results/labels/orphans.tsv",
            caption="../report/orphans.rst",
            category="Classification",
            labels={"item": "Answers that belong to no site"},
        ),
        contradictions=report(
            "results/labels/contradictions.tsv",
            caption="../report/contradictions.rst",
            category="Classification",
            labels={"item": "Sites on which people contradict each other"},
        ),
        notes="results/labels/notes.txt",
        counts="results/labels/counts.txt",
    log:
        "results/logs/collect_labels.log",
    benchmark:
        "results/benchmarks/collect_labels.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("collect_labels"),
    params:
        files=untracked([str(path) for path in PLAN.label_files]),
        # A function, as the names of clips hold braces, which are no wildcards.
        sources=lambda wildcards: PLAN.label_settings,
        panoramas=untracked(PLAN.labelled),
        grids=untracked(PLAN.labelled_grids),
        stitched=untracked(PLAN.labelled_stitched),
        tolerance=LABEL_TOLERANCE,
        only_correct=not PLAN.has_labels,
        library=library("collect_labels"),
    script:
        "../scripts/collect_labels.py"


rule check_held_out:
    """Refuse labels that lie where the networks that a study starts from were trained."""
    input:
        labels="results/labels/labels.parquet",
        answers="results/labels/answers.parquet",
        images=of_panoramas("results/panoramas/{panorama}.ome.tif", PLAN.labelled),
    output:
        checked="results/labels/held_out_check.tsv",
    log:
        "results/logs/check_held_out.log",
    benchmark:
        "results/benchmarks/check_held_out.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("check_held_out"),
    params:
        panoramas=untracked(PLAN.labelled),
        networks=untracked(PLAN.networks_from_elsewhere),
        networks_content=content(*PLAN.files_from_elsewhere),
        windows=PLAN.windows,
        library=library("check_held_out"),
    script:
        "../scripts/check_held_out.py"


rule split_labels:
    """Deal groups of labels into folds so that no window is on both sides of a split."""
    input:
        labels=labels_to_split,
        orphans="results/labels/orphans.tsv",
        contradictions="results/labels/contradictions.tsv",
        # Before anything is made from labels that are no test.
        checked="results/labels/held_out_check.tsv" if PLAN.networks_from_elsewhere else [],
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
    output:
        split="results/labels/split.parquet",
    log:
        "results/logs/split_labels.log",
    benchmark:
        "results/benchmarks/split_labels.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("split_labels"),
    params:
        group_by=STUDY.split.group_by,
        block=STUDY.split.block,
        folds=STUDY.split.folds,
        # Networks from elsewhere are tested as they are.
        # A check alone: the split is the same whatever is tested.
        test_folds=untracked(list(PLAN.test_folds) if PLAN.trains else None),
        windows=PLAN.windows,
        seed=seed("split"),
        # By which the next run knows that these labels do not suffice.
        key=untracked(labels_key),
        library=library("split_labels"),
    script:
        "../scripts/split_labels.py"


rule cut_clips:
    """Cut the window round every labelled site and resample it to the network's input size."""
    input:
        split="results/labels/split.parquet",
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.labelled),
    output:
        clips="results/clips/{stage}.npy",
    log:
        "results/logs/cut_clips/{stage}.log",
    benchmark:
        "results/benchmarks/cut_clips/{stage}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("cut_clips"),
    params:
        panoramas=untracked(PLAN.labelled),
        network=lambda wildcards: STUDY.stage(wildcards.stage).network,
        window=lambda wildcards: STUDY.stage(wildcards.stage).window,
        centre=lambda wildcards: STUDY.stage(wildcards.stage).centre,
        library=library("cut_clips"),
    script:
        "../scripts/cut_clips.py"


rule cut_unlabelled:
    """Draw candidates without a label and cut their clips, for networks that label some by themselves."""
    input:
        split="results/labels/split.parquet",
        candidates=of_panoramas("results/candidates/{panorama}.parquet", PLAN.labelled),
        descriptors=described(
            of_panoramas("results/candidates/{panorama}.descriptors.parquet", PLAN.labelled)
        ),
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.labelled),
    output:
        sites="results/clips/unlabelled_{stage}.parquet",
        clips="results/clips/unlabelled_{stage}.npy",
        descriptors=described("results/clips/unlabelled_{stage}.descriptors.parquet"),
    log:
        "results/logs/cut_unlabelled/{stage}.log",
    benchmark:
        "results/benchmarks/cut_unlabelled/{stage}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("cut_unlabelled"),
    params:
        # Enough for many times the usual number of labels, however large the panoramas are.
        most=3000,
        distance=STUDY.detection.merge_distance,
        # The truth beyond is for the test.
        until_px=dict.fromkeys(PLAN.simulated, PLAN.labelled_px),
        group_by=STUDY.split.group_by,
        block=STUDY.split.block,
        network=lambda wildcards: STUDY.stage(wildcards.stage).network,
        window=lambda wildcards: STUDY.stage(wildcards.stage).window,
        centre=lambda wildcards: STUDY.stage(wildcards.stage).centre,
        seed=seed("unlabelled"),
        library=library("cut_unlabelled"),
    script:
        "../scripts/cut_unlabelled.py"


rule describe_labels:
    """Measure the descriptors of every labelled site."""
    input:
        split="results/labels/split.parquet",
        runs=of_panoramas("results/candidates/{panorama}.runs.parquet", PLAN.labelled),
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
    output:
        descriptors="results/labels/descriptors.parquet",
    log:
        "results/logs/describe_labels.log",
    benchmark:
        "results/benchmarks/describe_labels.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("describe_labels"),
    params:
        panoramas=untracked(PLAN.labelled),
        library=library("describe_labels"),
    script:
        "../scripts/describe_labels.py"
