"""Explanation: what the networks look at, and the groups that sites form in their eyes.

In:  both networks, clips/*.npy, labels/split.parquet, predictions/{panorama}.parquet, working images.
Out: figures/filters_*, attention_*, feature_maps_*, embedding; explanation/embedding.parquet, attention_*.npz (of all
     labelled sites, for the viewer).
Why: a network may be right for the wrong reason, as when it knows a panorama by its brightness.

Not part of the default target: run `snakemake explanation`.
"""


rule explanation:
    """Show what the networks look at; at labelled sites only where there are labels."""
    input:
        "results/figures/embedding.svg",
        expand(
            "results/figures/{name}_{stage}.svg",
            name=["filters", "attention", "feature_maps"] if PLAN.has_labels else [],
            stage=STAGES,
        ),
    localrule: True


rule explain_networks:
    """Draw first filters, feature maps, and the places that speak for a class (Grad-CAM)."""
    input:
        models=lambda wildcards: network_files([f"results/models/{wildcards.stage}.keras"]),
        clips=lambda wildcards: clips_of(wildcards.stage),
        descriptors=described("results/labels/descriptors.parquet"),
        split="results/labels/split.parquet",
    output:
        attention="results/explanation/attention_{stage}.npz",
        filters_svg="results/figures/filters_{stage}.svg",
        filters_png=report(
            "results/figures/filters_{stage}.png",
            caption="../../report/filters.rst",
            category="What the networks look at",
            labels={"item": "First filters, {stage} network"},
        ),
        attention_svg="results/figures/attention_{stage}.svg",
        attention_png=report(
            "results/figures/attention_{stage}.png",
            caption="../../report/attention.rst",
            category="What the networks look at",
            labels={"item": "Places that speak for a class, {stage} network"},
        ),
        feature_maps_svg="results/figures/feature_maps_{stage}.svg",
        feature_maps_png=report(
            "results/figures/feature_maps_{stage}.png",
            caption="../../report/feature_maps.rst",
            category="What the networks look at",
            labels={"item": "Feature maps, {stage} network"},
        ),
    log:
        "results/logs/explain_networks/{stage}.log",
    benchmark:
        "results/benchmarks/explain_networks/{stage}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: lambda wildcards: network_threads(wildcards.stage)
    resources:
        **needs("explain_networks"),
        gpu=1,
    params:
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files),
        library=library("explain_networks"),
    script:
        "../../scripts/explain_networks.py"


rule embed_sites:
    """Place all sites by what the damage network makes of them, and group them."""
    input:
        models=network_files(["results/models/damage.keras"]),
        sites=of_panoramas("results/predictions/{panorama}.parquet"),
        images=of_panoramas(WORKING_IMAGE),
        masks=of_panoramas("results/panoramas/{panorama}.valid.ome.tif"),
        descriptors=(
            of_panoramas("results/candidates/{panorama}.descriptors.parquet")
            if PLAN.described
            else []
        ),
    output:
        embedding="results/explanation/embedding.parquet",
        agreement="results/evaluation/embedding.tsv",
    log:
        "results/logs/embed_sites.log",
    benchmark:
        "results/benchmarks/embed_sites.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        **needs("embed_sites"),
        gpu=1,
    params:
        models=untracked(PLAN.models),
        models_content=content(*PLAN.given_model_files),
        seed=seed("embedding"),
        library=library("embed_sites"),
    script:
        "../../scripts/embed_sites.py"


rule draw_embedding:
    """Draw the map of all sites by class, panorama and group."""
    input:
        embedding="results/explanation/embedding.parquet",
        agreement="results/evaluation/embedding.tsv",
    output:
        svg="results/figures/embedding.svg",
        png=report(
            "results/figures/embedding.png",
            caption="../../report/embedding.rst",
            category="What the networks look at",
            labels={"item": "Map of all sites"},
        ),
    log:
        "results/logs/draw_embedding.log",
    benchmark:
        "results/benchmarks/draw_embedding.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("draw_embedding"),
    params:
        library=library("draw_embedding"),
    script:
        "../../scripts/draw_embedding.py"
