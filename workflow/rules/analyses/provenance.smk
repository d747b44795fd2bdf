"""Provenance: where every product comes from, and the archive that a repository such as Zenodo takes.

In:  all products of the default target, the report, what the workflow engine remembers of its jobs.
Out: provenance/ro-crate-metadata.json and lineage.tsv; provenance/study.zip or study_with_images.zip.
Why: a number in a paper should lead back to the images, labels, parameters and code that it came from.

Not part of the default target: run `snakemake provenance`, `snakemake pack` or `snakemake pack_with_images`.
"""


rule provenance:
    """Write where every product comes from, as a Workflow Run RO-Crate and as a table."""
    input:
        "results/provenance/ro-crate-metadata.json",
        "results/provenance/lineage.tsv",
    localrule: True


rule pack:
    """Put report, tables, figures, sheet, labels, code and crate into one archive."""
    input:
        "results/provenance/study.zip",
    localrule: True


rule pack_with_images:
    """The same with panoramas, phase maps, clips, networks and the viewer."""
    input:
        "results/provenance/study_with_images.zip",
    localrule: True


rule write_provenance:
    """Gather checksums, parameters, versions and the lineage of every product."""
    input:
        products=made_files,
        report=rules.report.input,
    output:
        crate="results/provenance/ro-crate-metadata.json",
        lineage="results/provenance/lineage.tsv",
    log:
        "results/logs/write_provenance.log",
    benchmark:
        "results/benchmarks/write_provenance.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_provenance"),
    params:
        study=lambda wildcards: STUDY.model_dump_json(),
        version=VERSION,
        sheet=untracked(STUDY.panoramas),
        sheet_content=content(STUDY.panoramas),
        labels=untracked(named_label_files()),
        networks=untracked(PLAN.files_from_elsewhere),
        workflow=untracked(str(Path(SCRIPTS).parent)),
        library=library("write_provenance"),
    script:
        "../../scripts/write_provenance.py"


rule pack_study:
    """Write the archive, and say how large its parts are."""
    input:
        products=made_files,
        report=rules.report.input,
        provenance="results/provenance/lineage.tsv",
        # Pages on which one looks at images belong to these.
        seen=lambda wildcards: (
            seen_in_archive(wildcards) if wildcards.archive == "study_with_images" else []
        ),
    output:
        archive="results/provenance/{archive}.zip",
    log:
        "results/logs/pack_study/{archive}.log",
    benchmark:
        "results/benchmarks/pack_study/{archive}.tsv"
    wildcard_constraints:
        archive="study|study_with_images",
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("pack_study"),
    params:
        study=lambda wildcards: STUDY.model_dump_json(),
        version=VERSION,
        images=lambda wildcards: wildcards.archive == "study_with_images",
        sheet=untracked(STUDY.panoramas),
        sheet_content=content(STUDY.panoramas),
        labels=untracked(named_label_files()),
        networks=untracked(PLAN.files_from_elsewhere),
        workflow=untracked(str(Path(SCRIPTS).parent)),
        library=library("pack_study"),
    script:
        "../../scripts/pack_study.py"
