"""Sites: candidates with a class, and how they look.

In:  candidates/{panorama}.parquet and its descriptors, the working image, both networks and their calibration;
     labels/labels.parquet.
Out: predictions/{panorama}.parquet (networks) and .features.npy (what they see of some), sites/{panorama}.parquet (with the labels of people);
     figures/overview_{panorama} and gallery.
Why: this is the table that all statistics are drawn from, and that other tools may read.
"""


rule classify_sites:
    """Pass every candidate through both networks, in batches cut from the panorama as needed."""
    input:
        candidates="results/candidates/{panorama}.parquet",
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        calibration="results/models/calibration.json" if PLAN.has_labels else [],
        descriptors=described("results/candidates/{panorama}.descriptors.parquet"),
        models=network_files([f"results/models/{stage}.keras" for stage in STAGES]),
    output:
        sites="results/predictions/{panorama}.parquet",
        features="results/predictions/{panorama}.features.npy",
    log:
        "results/logs/classify_sites/{panorama}.log",
    benchmark:
        "results/benchmarks/classify_sites/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("inclusion", "damage")
    resources:
        **needs("classify_sites"),
        gpu=1,
    params:
        strip=WHOLE,
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files),
        inclusion_threshold=STUDY.inclusion.threshold,
        damage_threshold=STUDY.damage.threshold,
        library=library("classify_sites"),
    script:
        "../scripts/classify_sites.py"


rule label_sites:
    """Give each site the class of its label, where people labelled it, else that of the networks."""
    input:
        predictions="results/predictions/{panorama}.parquet",
        labels=lambda wildcards: labels_of(wildcards.panorama),
    output:
        sites="results/sites/{panorama}.parquet",
    log:
        "results/logs/label_sites/{panorama}.log",
    benchmark:
        "results/benchmarks/label_sites/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("label_sites"),
    params:
        library=library("label_sites"),
    script:
        "../scripts/label_sites.py"


rule draw_overview:
    """Draw a panorama with every site marked in the colour of its class, and a scale bar."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        sites="results/sites/{panorama}.parquet",
    output:
        svg="results/figures/overview_{panorama}.svg",
        png=report(
            "results/figures/overview_{panorama}.png",
            caption="../report/overview.rst",
            category="Panoramas",
            labels={"item": "Sites of {panorama}"},
        ),
    log:
        "results/logs/draw_overview/{panorama}.log",
    benchmark:
        "results/benchmarks/draw_overview/{panorama}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_overview"),
    params:
        strain_percent=sheet_number("strain_percent"),
        library=library("draw_overview"),
    script:
        "../scripts/draw_overview.py"


rule draw_gallery:
    """Draw clips of each class, as the damage network sees them, with their probability."""
    input:
        sites=of_panoramas("results/sites/{panorama}.parquet"),
        images=of_panoramas(WORKING_IMAGE),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif"),
    output:
        svg="results/figures/gallery.svg",
        png=report(
            "results/figures/gallery.png",
            caption="../report/gallery.rst",
            category="Classification",
            labels={"item": "Sites of each class"},
        ),
    log:
        "results/logs/draw_gallery.log",
    benchmark:
        "results/benchmarks/draw_gallery.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_gallery"),
    params:
        panoramas=untracked(PLAN.panoramas),
        window=STUDY.damage.window,
        per_class=8,
        seed=seed("gallery"),
        library=library("draw_gallery"),
    script:
        "../scripts/draw_gallery.py"
