"""Pairs: another scan of the place of a panorama, laid over it.

In:  a panorama with its mask, and what the column paired_scan of the sample sheet names.
Out: paired/{panorama}.ome.tif with its mask and a JSON record.
Why: what two scans share is structure and the rest is noise. Networks learn to denoise from pairs, and
     denoisers are compared with a slow scan. Sites of a second scan are never counted.

Not part of the default target, unless networks of the study learn from pairs.
"""


rule import_paired_scan:
    """Read another scan of the same place, and shift it onto the panorama block by block."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        note=f"results/{PAIR_NOTE}",
    output:
        image="results/paired/{panorama}.ome.tif",
        valid="results/paired/{panorama}.valid.ome.tif",
        record="results/paired/{panorama}.json",
    log:
        "results/logs/import_paired_scan/{panorama}.log",
    benchmark:
        "results/benchmarks/import_paired_scan/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.paired_imported),
    # Before all that would be in vain if the scan shows another place.
    priority: 10
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("import_paired_scan"),
    params:
        source=untracked(lambda wildcards: str(PLAN.paired_file(wildcards.panorama))),
        cell=untracked(paired_cell),
        options=lambda wildcards: image_options(PLAN.sheet.loc[wildcards.panorama]),
        library=library("import_paired_scan"),
    script:
        "../scripts/import_paired_scan.py"


rule simulate_paired_scan:
    """Scan the steel of a simulated panorama once more, slowly and with other noise."""
    input:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
    output:
        image="results/paired/{panorama}.ome.tif",
        valid="results/paired/{panorama}.valid.ome.tif",
        record="results/paired/{panorama}.json",
    log:
        "results/logs/simulate_paired_scan/{panorama}.log",
    benchmark:
        "results/benchmarks/simulate_paired_scan/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.paired_simulated),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("simulate_paired_scan"),
    params:
        width_px=STUDY.simulation.width_px,
        height_px=STUDY.simulation.height_px,
        strain_percent=sheet_number("strain_percent"),
        pixel_size_nm=sheet_number("pixel_size_nm"),
        seed=lambda wildcards: seed("simulation", wildcards.panorama),
        cell=untracked(paired_cell),
        library=library("simulate_paired_scan"),
    script:
        "../scripts/simulate_paired_scan.py"
