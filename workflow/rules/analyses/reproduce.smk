"""Ledger: published numbers beside those of this workflow, and published parameter sets side by side.

In:  resources/publications/*.tsv; public files from their record or from a folder; the working images.
Out: ledger/ledger.tsv, ledger.txt, versions.tsv and scores/{dataset}.tsv; figures/ledger and versions.
Why: a reader trusts new numbers from a workflow that gives the old ones.

Not part of the default target: run `snakemake reproduce`.
"""


rule reproduce:
    """Say which published numbers this workflow reproduces, and what others find in these panoramas."""
    input:
        "results/ledger/ledger.tsv",
        "results/ledger/versions.tsv",
    localrule: True


rule workshop_scores:
    """Say how well three networks tell small public pictures: `reproduce: scores`, or the digits."""
    input:
        digit_scores(STUDY.reproduce.scores or ["digits"]),
    localrule: True


rule reproduce_published:
    """Fetch public data, run them as published, and compare each number with its published value."""
    input:
        scores=scored_digits,
    output:
        ledger=report(
            "results/ledger/ledger.tsv",
            caption="../../report/ledger_table.rst",
            category="Ledger",
            labels={"item": "Published numbers, one by one"},
        ),
        summary="results/ledger/ledger.txt",
        svg="results/figures/ledger.svg",
        png=report(
            "results/figures/ledger.png",
            caption="../../report/ledger.rst",
            category="Ledger",
            labels={"item": "Published numbers that are reproduced"},
        ),
    log:
        "results/logs/reproduce_published.log",
    benchmark:
        "results/benchmarks/reproduce_published.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("reproduce_published"),
        gpu=1,
    params:
        publications=untracked(str(PUBLICATIONS)),
        publications_content=checked_publications(),
        folder=untracked(STUDY.reproduce.folder),
        # What was missing may be there now.
        data=public_data_seen(),
        fetch=STUDY.reproduce.fetch,
        library=library("reproduce_published"),
    script:
        "../../scripts/reproduce_published.py"


rule count_versions:
    """Count the candidates of a panorama with each published parameter set."""
    input:
        **reference_files(),
        image=WORKING_IMAGE,
        valid="results/panoramas/{panorama}.valid.ome.tif",
        record="results/panoramas/{panorama}.json",
        # Some of the published rules have fixed thresholds.
        grey_scale=ancient(grey_scale()),
    output:
        versions="results/ledger/{panorama}.versions.tsv",
    log:
        "results/logs/count_versions/{panorama}.log",
    benchmark:
        "results/benchmarks/count_versions/{panorama}.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("count_versions"),
    params:
        detection=STUDY.detection.model_dump_json(),
        presets=all_presets(),
        library=library("count_versions"),
    script:
        "../../scripts/count_versions.py"


rule join_versions:
    """Put the counts with published parameter sets side by side, and draw them."""
    input:
        parts=of_panoramas("results/ledger/{panorama}.versions.tsv"),
    output:
        versions=report(
            "results/ledger/versions.tsv",
            caption="../../report/versions.rst",
            category="Ledger",
            labels={"item": "Published parameter sets, in numbers"},
        ),
        svg="results/figures/versions.svg",
        png=report(
            "results/figures/versions.png",
            caption="../../report/versions.rst",
            category="Ledger",
            labels={"item": "Published parameter sets"},
        ),
    log:
        "results/logs/join_versions.log",
    benchmark:
        "results/benchmarks/join_versions.tsv"
    conda:
        "../../envs/damascene.yaml"
    threads: 1
    resources:
        **needs("join_versions"),
    params:
        library=library("join_versions"),
    script:
        "../../scripts/join_versions.py"


rule score_digits:
    """Train three networks on a public set of small pictures, and test each on those it has not seen."""
    output:
        scores="results/ledger/scores/{dataset}.tsv",
    log:
        "results/logs/score_digits/{dataset}.log",
    benchmark:
        "results/benchmarks/score_digits/{dataset}.tsv"
    wildcard_constraints:
        dataset="|".join(PICTURE_SETS),
    conda:
        "../../envs/damascene.yaml"
    threads: 2
    resources:
        **needs("score_digits"),
        gpu=1,
    params:
        folders=untracked(digit_folders),
        # What was missing, damaged or could not be fetched may be right now.
        data=digit_files_seen,
        vain_note=untracked(vain_fetch_note),
        fetch=STUDY.reproduce.fetch,
        seed=seed("digit_scores"),
        library=library("score_digits"),
    script:
        "../../scripts/score_digits.py"
