"""Domain shift: whether a panorama looks like those that its networks learned from.

In:  the working image, its candidates, and what classify_sites kept of them; the labelled sites.
Out: models/condition.json and .npz, which travel with the networks; shift/{panorama}.json;
     statistics/domain_shift.tsv and figures/domain_shift.
Why: networks name a class for every dark spot, also in steel, noise or magnification they never saw.
"""


rule describe_training:
    """Describe the panoramas and sites that the networks of the study learn from."""
    input:
        split="results/labels/split.parquet",
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.labelled),
        images=of_panoramas(WORKING_IMAGE, PLAN.labelled),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif", PLAN.labelled),
        counts=of_panoramas("results/candidates/{panorama}.json", PLAN.labelled),
        network=PLAN.shift.network,
    output:
        condition="results/models/condition.json",
        space="results/models/condition.npz",
    log:
        "results/logs/describe_training.log",
    benchmark:
        "results/benchmarks/describe_training.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        **needs("describe_training"),
        gpu=1,
    params:
        network=STUDY.damage.network,
        window=STUDY.damage.window,
        library=library("describe_training"),
    script:
        "../scripts/describe_training.py"


rule measure_shift:
    """Hold a panorama and its candidates against what the networks learned from."""
    input:
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
        counts="results/candidates/{panorama}.json",
        features="results/predictions/{panorama}.features.npy",
        condition=PLAN.shift.made_files,
    output:
        record="results/shift/{panorama}.json",
    log:
        "results/logs/measure_shift/{panorama}.log",
    benchmark:
        "results/benchmarks/measure_shift/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("measure_shift"),
    params:
        condition=untracked(PLAN.shift.condition),
        condition_content=content(*PLAN.shift.given_files),
        library=library("measure_shift"),
    script:
        "../scripts/measure_shift.py"


rule summarise_shift:
    """Put the domain shift of all panoramas into a table and a figure."""
    input:
        records=of_panoramas("results/shift/{panorama}.json"),
    output:
        table=report(
            "results/statistics/domain_shift.tsv",
            caption="../report/domain_shift_table.rst",
            category="Quality",
            labels={"item": "Panoramas beside the training set"},
        ),
        svg="results/figures/domain_shift.svg",
        png=report(
            "results/figures/domain_shift.png",
            caption="../report/domain_shift.rst",
            category="Quality",
            labels={"item": "Panoramas beside the training set, drawn"},
        ),
    log:
        "results/logs/summarise_shift.log",
    benchmark:
        "results/benchmarks/summarise_shift.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("summarise_shift"),
    params:
        library=library("summarise_shift"),
    script:
        "../scripts/summarise_shift.py"
