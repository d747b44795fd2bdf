"""Report: one page of HTML for a reader who has nothing else, and the data beside it.

In:  tables, figures, records and texts of the default target, and those of analyses that have run.
Out: report/report.html, report/data.zip, sites/sites.csv.
Why: a colleague, a referee or an archive takes one file by hand, not a folder of products.

Not part of the default target: run `snakemake report`.
"""


rule report:
    """Write the report of the study, and the data beside it."""
    input:
        "results/report/report.html",
        "results/report/data.zip",
    localrule: True


rule write_report:
    """Lay all that the study found out on one page; put its tables and figures into an archive."""
    input:
        shown=shown_files,
        viewer=seen_from_report,
    output:
        page="results/report/report.html",
        data="results/report/data.zip",
        sites=["results/sites/sites.csv"] if PLAN.classifies else [],
    log:
        "results/logs/write_report.log",
    benchmark:
        "results/benchmarks/write_report.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("write_report"),
    params:
        study=lambda wildcards: STUDY.model_dump_json(),
        sheet=untracked(STUDY.panoramas),
        sheet_content=content(STUDY.panoramas),
        facts={
            "trains": PLAN.trains,
            "tested": PLAN.tested,
            "doubts": PLAN.doubts_of_test,
            "untested": PLAN.untested,
            "unclassified": PLAN.unclassified,
            "models": PLAN.models,
            "elsewhere": "" if PLAN.trains else str(STUDY.models),
        },
        captions=said_in_captions,
        templates=content(*report_sources()),
        library=library("write_report"),
    script:
        "../../scripts/write_report.py"
