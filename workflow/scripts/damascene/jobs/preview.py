"""What a study will take, and what its own runs say of the resources that rules ask for."""

from collections import defaultdict
from collections.abc import Mapping

import pandas as pd

from damascene.jobs.benchmarks import Measured
from damascene.jobs.resources import (
    MEMORY_MARGIN,
    TIME_MARGIN,
    Size,
    cpu_seconds,
    megabytes,
    memory_limit_mb,
    seconds,
    stored_megabytes,
    time_limit_minutes,
)
from damascene.jobs.sizes import (
    EXPECTED_PER_MEGAPIXEL,
    candidates_found,
    job_cost,
    job_size,
    panorama_size,
    strip_size,
)
from damascene.jobs.unit_costs import UnitCost
from damascene.study.jobs import default_jobs
from damascene.study.plan import Plan

#: Jobs of a rule that must have run before they speak for the others; fewer if there are no more.
ENOUGH_JOBS = 3
#: A default is off if what the run asks for is above or below this many times its own.
_OFF_ABOVE, _OFF_BELOW = 1.25, 0.5
#: Core-seconds that the engine spends on a job that a cluster runs, beside the job's own.
ENGINE_CORE_SECONDS = 5
_SHOWN_RULES = 8


def study_sizes(plan: Plan) -> dict[str, Size]:
    """Return megapixels and expected candidates of every panorama.

    Panoramas that were not searched yet are expected to have as many a megapixel as the
    others, or as simulated steel if there are none.
    """
    known = {
        name: panorama_size(name, study=plan.study, sheet=plan.sheet) for name in plan.panoramas
    }
    counts = {name: candidates_found(name) for name in plan.panoramas}
    area = sum(known[name].megapixels for name, count in counts.items() if count is not None)
    found = sum(count for count in counts.values() if count is not None)
    density = found / area if area else EXPECTED_PER_MEGAPIXEL
    return {
        name: size
        if counts[name] is not None
        else Size(megapixels=size.megapixels, sites=density * size.megapixels)
        for name, size in known.items()
    }


def cost_table(
    costs: dict[tuple[str, str], UnitCost],
    measured: list[Measured],
    *,
    plan: Plan,
    sizes: dict[str, Size],
    jobs: Mapping[str, list[dict[str, str]]] | None = None,
) -> pd.DataFrame:
    """Return what the jobs of a target take, by rule.

    Unit costs are those that the repository ships. Where enough jobs of a rule have run in this
    study, they are scaled to what these took.

    Parameters
    ----------
    costs : dict of (str, str) to UnitCost
    measured : list of Measured
        Jobs that have run in this study.
    plan : Plan
    sizes : dict of str to Size
        See `study_sizes`.
    jobs : mapping of str to list of dict, optional
        Wildcards of each job, by rule; those of the default target without it.

    Returns
    -------
    pandas.DataFrame
        Columns rule, jobs, core_hours, gpu_hours (time of rules that run networks, measured on a
        CPU), storage_gb, longest_job_minutes, basis; the dearest rule first.
    """
    done = _by_rule(measured)
    rows = []
    wanted = default_jobs(plan) if jobs is None else jobs
    for rule, jobs in ((rule, each) for rule, each in wanted.items() if each):
        cost_and_size = _sizes_of(costs, rule, plan=plan, sizes=sizes)
        enough = len(done[rule]) >= min(ENOUGH_JOBS, len(jobs))
        speak = done[rule] if enough else []
        pairs = [cost_and_size(each.get("panorama"), each.get("stage")) for each in jobs]
        said = [(job, *_of(job, cost_and_size)) for job in speak]
        times = _scaled(seconds, pairs, [(job.seconds, *rest) for job, *rest in said])
        busy = _scaled(cpu_seconds, pairs, [(job.cpu_seconds, *rest) for job, *rest in said])
        stored = _scaled(stored_megabytes, pairs, [(job.stored_mb, *rest) for job, *rest in said])
        rows.append(
            {
                "rule": rule,
                "jobs": len(jobs),
                "core_hours": sum(busy) / 3600,
                "gpu_hours": sum(times) / 3600 if pairs[0][0].gpu else 0.0,
                "storage_gb": sum(stored) / 1000,
                "longest_job_minutes": max(times) / 60,
                "basis": f"measured here: {len(speak)} jobs" if speak else "shipped unit costs",
            }
        )
    return pd.DataFrame(rows).sort_values("core_hours", ascending=False, ignore_index=True)


def resource_advice(
    costs: dict[tuple[str, str], UnitCost],
    measured: list[Measured],
    *,
    plan: Plan,
    sizes: dict[str, Size],
) -> pd.DataFrame:
    """Return what rules should ask for where the jobs that have run show that the default is off.

    The ratio of the worst job to what was expected of it is applied to the largest job of the
    study, with the usual margin.

    Returns
    -------
    pandas.DataFrame
        Columns rule, jobs, resource (`mem_mb` or `runtime`), default, advised, both for the first
        attempt of the largest job.
    """
    done = _by_rule(measured)
    limits = {"mem_mb": (megabytes, memory_limit_mb), "runtime": (seconds, time_limit_minutes)}
    rows = []
    for rule, jobs in default_jobs(plan).items():
        if len(done[rule]) < min(ENOUGH_JOBS, len(jobs)):
            continue
        cost_and_size = _sizes_of(costs, rule, plan=plan, sizes=sizes)
        for resource, (needed, limit) in limits.items():
            pairs = [
                (job.mb if resource == "mem_mb" else job.seconds, needed(*_of(job, cost_and_size)))
                for job in done[rule]
            ]
            ratios = [took / said for took, said in pairs if took and said]
            largest = max(
                needed(*cost_and_size(wildcards.get("panorama"), wildcards.get("stage")))
                for wildcards in jobs
            )
            default = limit(largest)
            advised = limit(largest * max(ratios)) if ratios else default
            if not _OFF_BELOW * default <= advised <= _OFF_ABOVE * default:
                rows.append(
                    {
                        "rule": rule,
                        "jobs": len(done[rule]),
                        "resource": resource,
                        "default": default,
                        "advised": advised,
                    }
                )
    return pd.DataFrame(rows, columns=["rule", "jobs", "resource", "default", "advised"])


def _by_rule(measured):
    done = defaultdict(list)
    for job in measured:
        done[job.rule].append(job)
    return done


def _sizes_of(costs, rule, *, plan, sizes):
    """Return a function that gives unit costs and size of a job of a rule."""
    total = Size(
        megapixels=sum(size.megapixels for size in sizes.values()),
        sites=sum(size.sites for size in sizes.values()),
    )

    def cost_and_size(panorama: str | None, stage: str | None) -> tuple[UnitCost, Size]:
        cost = job_cost(costs, rule, study=plan.study, stage=stage)
        if cost.scope == "panorama":
            # Behind the dot, which no name of a panorama has, is the strip.
            return cost, strip_size(sizes[panorama.split(".")[0]], rule, study=plan.study)
        if cost.scope == "study":
            return cost, total
        return cost, job_size(cost, study=plan.study, sheet=plan.sheet)

    return cost_and_size


def _of(job, cost_and_size):
    return cost_and_size(job.job, job.stage)


def _scaled(formula, pairs, known):
    """Return what a formula says of jobs, scaled so that it is right for the sum of known ones."""
    known = [(took, formula(cost, size)) for took, cost, size in known if took]
    took, said = (sum(column) for column in zip(*known, strict=True)) if known else (1, 1)
    return [formula(cost, size) * (took / said if said else 1) for cost, size in pairs]


def advice_yaml(advice: pd.DataFrame) -> str:
    """Write advice as a block that can be pasted into a profile."""
    lines = [
        "# What the jobs that have run here say of the resources of their rules, for a profile.",
        f"# With the usual margins: {MEMORY_MARGIN} times the memory, {TIME_MARGIN} times the "
        "time.",
    ]
    if advice.empty:
        return "\n".join([*lines, "# No default is off.", "set-resources: {}", ""])
    lines.append("set-resources:")
    units = {"mem_mb": "MB", "runtime": "minutes"}
    for rule, rows in advice.groupby("rule", sort=False):
        jobs = f"{rows.jobs.iloc[0]} job" + ("s" if rows.jobs.iloc[0] > 1 else "")
        lines.append(f"  # From {jobs}.")
        lines.append(f"  {rule}:")
        lines += [
            f"    {row.resource}: {row.advised} * attempt  # instead of {row.default} "
            f"{units[row.resource]}"
            for row in rows.itertuples()
        ]
    return "\n".join([*lines, ""])


def preview_text(
    table: pd.DataFrame,
    *,
    name: str,
    sizes: dict[str, Size],
    advice: pd.DataFrame,
    viewer: pd.DataFrame,
) -> str:
    """Write what a study takes on one page: totals, what dominates, and what it is based on.

    `viewer` is the cost table of the target of that name.
    """
    area = sum(size.megapixels for size in sizes.values())
    sites = sum(size.sites for size in sizes.values())
    jobs, core_hours = table.jobs.sum(), table.core_hours.sum()
    longest = table.loc[table.longest_job_minutes.idxmax()]
    measured = table.basis.str.startswith("measured")
    first = table.iloc[0]
    engine_hours = jobs * ENGINE_CORE_SECONDS / 3600
    top = table.head(_SHOWN_RULES).drop(columns="basis").round(2).to_string(index=False)
    return "\n".join(
        [
            f"What the default target of '{name}' takes from the start",
            "",
            f"panoramas    {len(sizes):,}, together {area:,.0f} megapixels",
            f"candidates   {sites:,.0f} found or expected, {sites / area:.1f} a megapixel",
            f"jobs         {jobs:,}; the longest: {longest.rule}, "
            f"{longest.longest_job_minutes:.0f} minutes",
            f"core-hours   {core_hours:,.2f}, and {engine_hours:,.2f} more if each job is one of a "
            "cluster",
            f"GPU-hours    {table.gpu_hours.sum():,.2f} as measured on a CPU; a GPU is faster",
            f"storage      {table.storage_gb.sum():,.2f} GB",
            f"viewer       on request {viewer.core_hours.sum():,.2f} core-hours and "
            f"{viewer.storage_gb.sum():,.2f} GB more",
            "",
            f"Most of it is {first.rule}: {first.core_hours / max(core_hours, 1e-9):.0%} of the "
            "core-hours.",
            "",
            top,
            "",
            f"{measured.sum()} of {len(table)} rules are estimated from jobs that have run here, "
            "the others from the unit",
            "costs in resources/unit_costs.tsv, which were measured on two cores.",
            f"Rules whose memory or time should be set otherwise: "
            f"{', '.join(advice.rule.unique()) or 'none'}.",
            "",
        ]
    )
