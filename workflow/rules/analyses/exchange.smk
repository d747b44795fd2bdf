"""Exchange: sites and their classes as other tools read them.

In:  sites/{panorama}.parquet, candidates/{panorama}.runs.parquet, labels/labels.parquet; the tiles of a panorama.
Out: exchange/coco, voc, voc_tiles, qupath, napari, label_studio and imagej, with files for each panorama.
Why: people label and look with the tools they know; any site is found there by its number, and what people
     said is told apart from what networks said.

Not part of the default target: run `snakemake export_labels`.
"""

# Panoramas that are made of several images.
TILED = [
    name
    for name in PLAN.panoramas
    if name not in PLAN.simulated and is_table(PLAN.source_file(name))
]


rule export_labels:
    """Write sites and their classes for COCO, labelImg, QuPath, napari, Label Studio and ImageJ."""
    input:
        exported_files,
    localrule: True


rule export_panorama:
    """Write the sites of a panorama in the formats of other tools."""
    input:
        sites="results/sites/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
        record="results/panoramas/{panorama}.json",
        labels=lambda wildcards: labels_of(wildcards.panorama),
    output:
        coco_labels="results/exchange/coco/labels/{panorama}.json",
        coco_networks="results/exchange/coco/networks/{panorama}.json",
        # labelImg looks for the name of the image with another ending.
        voc_labels="results/exchange/voc/labels/{panorama}.ome.xml",
        voc_networks="results/exchange/voc/networks/{panorama}.ome.xml",
        qupath="results/exchange/qupath/{panorama}.geojson",
        napari_points="results/exchange/napari/{panorama}.points.csv",
        napari_shapes="results/exchange/napari/{panorama}.shapes.csv",
        label_studio="results/exchange/label_studio/{panorama}.json",
        interface="results/exchange/label_studio/{panorama}.interface.xml",
        imagej="results/exchange/imagej/{panorama}.zip",
    log:
        "results/logs/export_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/export_panorama/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("export_panorama"),
    params:
        library=library("export_panorama"),
    script:
        "../../scripts/export_panorama.py"


rule export_tiles:
    """Write the sites of each tile of a panorama for labelImg, counted from the corner of the tile."""
    input:
        sites="results/sites/{panorama}.parquet",
        runs="results/candidates/{panorama}.runs.parquet",
        record="results/panoramas/{panorama}.json",
        labels=lambda wildcards: labels_of(wildcards.panorama),
        frames=lambda wildcards: (
            f"results/panoramas/{wildcards.panorama}.frames.tsv"
            if wildcards.panorama in PLAN.stitched
            else []
        ),
    output:
        voc="results/exchange/voc_tiles/{panorama}.zip",
    log:
        "results/logs/export_tiles/{panorama}.log",
    benchmark:
        "results/benchmarks/export_tiles/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(TILED),
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("export_tiles"),
    params:
        grid=untracked(lambda wildcards: PLAN.grid(wildcards.panorama)),
        library=library("export_tiles"),
    script:
        "../../scripts/export_tiles.py"
