"""Explanation: what the networks look at, and the groups that sites form in their eyes.

In:  both networks, clips/*.npy, labels/split.parquet, sites/{panorama}.parquet, working images.
Out: figures/filters_*, attention_*, feature_maps_*, embedding; explanation/embedding.parquet.
Why: a network may be right for the wrong reason, as when it knows a panorama by its brightness.

Not part of the default target: run `snakemake explanation`.
"""


rule explain_networks:
    """Draw first filters, feature maps, and the places that speak for a class (Grad-CAM)."""
    input:
        model=f"{MODELS}/{{stage}}.keras",
        card=f"{MODELS}/{{stage}}.json",
        clips="results/clips/{stage}.npy",
        descriptors=described("results/labels/descriptors.npy"),
        split="results/labels/split.parquet",
    output:
        filters_svg="results/figures/filters_{stage}.svg",
        filters_png=report(
            "results/figures/filters_{stage}.png",
            caption="../report/filters.rst",
            category="What the networks look at",
            labels={"item": "First filters, {stage} network"},
        ),
        attention_svg="results/figures/attention_{stage}.svg",
        attention_png=report(
            "results/figures/attention_{stage}.png",
            caption="../report/attention.rst",
            category="What the networks look at",
            labels={"item": "Places that speak for a class, {stage} network"},
        ),
        feature_maps_svg="results/figures/feature_maps_{stage}.svg",
        feature_maps_png=report(
            "results/figures/feature_maps_{stage}.png",
            caption="../report/feature_maps.rst",
            category="What the networks look at",
            labels={"item": "Feature maps, {stage} network"},
        ),
    log:
        "results/logs/explain_networks/{stage}.log",
    benchmark:
        "results/benchmarks/explain_networks/{stage}.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: lambda wildcards: network_threads(wildcards.stage)
    resources:
        gpu=1,
        mem_mb=memory("explain_networks"),
        runtime=minutes("explain_networks"),
    params:
        library=library_fingerprint("explain_networks"),
    script:
        "../scripts/explain_networks.py"


rule embed_sites:
    """Place all sites by what the damage network makes of them, and group them."""
    input:
        model=f"{MODELS}/damage.keras",
        card=f"{MODELS}/damage.json",
        sites=of_all_panoramas("results/sites/{panorama}.parquet"),
        images=of_all_panoramas(WORKING_IMAGE),
        descriptors=(
            of_all_panoramas("results/candidates/{panorama}.descriptors.npy") if DESCRIBED else []
        ),
    output:
        embedding="results/explanation/embedding.parquet",
        agreement="results/evaluation/embedding.tsv",
    log:
        "results/logs/embed_sites.log",
    benchmark:
        "results/benchmarks/embed_sites.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: network_threads("damage")
    resources:
        gpu=1,
        mem_mb=memory("embed_sites"),
        runtime=minutes("embed_sites"),
    params:
        batch_size=64,
        seed=seed("embedding"),
        library=library_fingerprint("embed_sites"),
    script:
        "../scripts/embed_sites.py"


rule draw_embedding:
    """Draw the map of all sites by class, panorama and group."""
    input:
        embedding="results/explanation/embedding.parquet",
        agreement="results/evaluation/embedding.tsv",
    output:
        svg="results/figures/embedding.svg",
        png=report(
            "results/figures/embedding.png",
            caption="../report/embedding.rst",
            category="What the networks look at",
            labels={"item": "Map of all sites"},
        ),
    log:
        "results/logs/draw_embedding.log",
    benchmark:
        "results/benchmarks/draw_embedding.tsv"
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        mem_mb=memory("draw_embedding"),
        runtime=minutes("draw_embedding"),
    params:
        library=library_fingerprint("draw_embedding"),
    script:
        "../scripts/draw_embedding.py"
