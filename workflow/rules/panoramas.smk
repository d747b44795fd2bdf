"""Panoramas: what a study looks at, each as one tiled OME-TIFF.

In:  rows of the sample sheet: images, grids of tiles, or the simulator.
Out: panoramas/{panorama}.ome.tif with its mask of valid pixels and a JSON record; for simulated
     steel also the truth.
Why: every later stage reads one kind of file, window by window, in physical units.
"""


rule simulate_panorama:
    """Render a panorama of simulated steel, with its phases and the truth about its sites."""
    output:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
        phases="results/truth/{panorama}.phases.ome.tif",
        truth="results/truth/{panorama}.parquet",
    log:
        "results/logs/simulate_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/simulate_panorama/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.simulated),
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("simulate_panorama"),
    params:
        width_px=STUDY.simulation.width_px,
        height_px=STUDY.simulation.height_px,
        dwell_time_ns=STUDY.simulation.dwell_time_ns,
        pixel_size_nm=sheet_number("pixel_size_nm"),
        strain_percent=sheet_number("strain_percent"),
        seed=lambda wildcards: seed("simulation", wildcards.panorama),
        library=library("simulate_panorama"),
    script:
        "../scripts/simulate_panorama.py"


rule import_panorama:
    """Bring an image or a grid of tiles into the tiled store, as 8-bit grey with a pixel size."""
    input:
        note=f"results/{PANORAMA_NOTE}",
    output:
        image="results/panoramas/{panorama}.ome.tif",
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
    log:
        "results/logs/import_panorama/{panorama}.log",
    benchmark:
        "results/benchmarks/import_panorama/{panorama}.tsv"
    wildcard_constraints:
        panorama=only(PLAN.imported),
    conda:
        "../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("import_panorama", least=import_megabytes),
    params:
        **source_places(),
        library=library("import_panorama"),
    script:
        "../scripts/import_panorama.py"


rule agree_on_grey_scale:
    """Check that panoramas of more than 8 bits were scaled alike; note what was scaled otherwise."""
    input:
        records=of_panoramas("results/panoramas/{panorama}.json", PLAN.read),
    output:
        notes="results/panoramas/grey_scale.txt",
    log:
        "results/logs/agree_on_grey_scale.log",
    benchmark:
        "results/benchmarks/agree_on_grey_scale.tsv"
    # Before all that would be in vain.
    priority: 10
    conda:
        "../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("agree_on_grey_scale"),
    params:
        library=library("agree_on_grey_scale"),
    script:
        "../scripts/agree_on_grey_scale.py"
