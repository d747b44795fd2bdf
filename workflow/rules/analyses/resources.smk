"""Planning: what the study takes, before and while it runs.

In:  the sample sheet, unit costs of the rules, whatever lies in benchmarks/.
Out: planning/costs.tsv and preview.txt, planning/set_resources.yaml for a profile; figures/costs.svg and .png.
Why: a thousand panoramas should not be started without knowing the bill, nor with limits that do not fit.

Not part of the default target: run `snakemake plan_resources`.
"""


rule plan_resources:
    """Estimate time, memory and storage of the default target; say which limits the runs so far contradict."""
    output:
        advice="results/planning/set_resources.yaml",
        costs="results/planning/costs.tsv",
        preview="results/planning/preview.txt",
        svg="results/figures/costs.svg",
        png=report(
            "results/figures/costs.png",
            caption="../../report/costs.rst",
            category="Planning",
            labels={"item": "Core-hours by rule"},
        ),
    log:
        "results/logs/plan_resources.log",
    benchmark:
        "results/benchmarks/plan_resources.tsv"
    localrule: True
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("plan_resources"),
    params:
        study=lambda wildcards: STUDY.model_dump_json(),
        panoramas={name: str(PLAN.sheet.path[name]) for name in PLAN.panoramas},
        unit_costs=content(UNIT_COSTS_FILE),
        # Benchmarks as inputs would let this run the jobs that write them.
        benchmarks=lambda wildcards: benchmarks_digest(),
        library=library("plan_resources"),
    script:
        "../../scripts/plan_resources.py"
