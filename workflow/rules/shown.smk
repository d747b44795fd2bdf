"""What the report shows: products of the study that are there or will be, and what captions say."""

from damascene.report import captions
from damascene.report.sections import analyses, is_read, items
from damascene.study.jobs import default_jobs
from damascene.versions import workflow_version

# Folder of all products.
RESULTS = "results/"
VERSION = workflow_version()


def outputs_of(name):
    """Return the outputs of a rule as patterns below results/; as a module, rules keep their names here."""
    paths = map(str, getattr(rules, name).output)
    return [path.removeprefix(RESULTS) for path in paths if path.startswith(RESULTS)]


def default_products(wanted):
    """Return the products of the default target whose pattern below results/ is wanted."""
    found = [
        RESULTS + pattern.format(**wildcards)
        for name, jobs in default_jobs(PLAN).items()
        for pattern in outputs_of(name)
        if wanted(pattern)
        for wildcards in jobs
    ]
    return list(dict.fromkeys(found))


def made_files(_):
    """Return all products of the default target, for the checksums and the lineage of each."""
    # Rows of a strip are joined and then removed.
    return default_products(lambda pattern: not pattern.startswith("strips/"))


def named_label_files():
    """Return the label files by a name of their own in an archive."""
    return {
        f"{number}_{file.relative_to(path.parent)}": str(file)
        for number, path in enumerate(PLAN.label_files, start=1)
        for file in files_in(path)
    }


def shown_files(_):
    """Return the products that the report reads: of the default target, and of analyses that ran."""
    found = default_products(is_read)
    ran = set(map(str, analyses_that_ran(None)))
    for target, paths in analyses().items():
        if ran.intersection(map(str, getattr(rules, target).input)):
            found += [RESULTS + path for path in paths if Path(RESULTS, path).exists()]
    return list(dict.fromkeys(found))


def seen_from_report(_):
    """Return the files of the viewer, to which the report links where it is there or asked for."""
    asked = "viewer" in workflow.dag_settings.targets
    there = Path(RESULTS, "viewer/index.html").exists()
    return viewer_files(None) if asked or there else []


def said_in_captions(wildcards):
    """Return the params that captions speak of, by the pattern of the item below results/."""
    wanted = {item.path: captions.params_in(item.caption) for item in items()}
    said = {}
    for step in [*default_jobs(PLAN), *ANALYSES_WITH_CAPTIONS]:
        given = dict(getattr(rules, step).params.items())
        for pattern in outputs_of(step):
            values = {
                name: given[name] for name in sorted(wanted.get(pattern, ())) if name in given
            }
            # The engine evaluates those that depend on the job.
            if plain := {name: each for name, each in values.items() if not callable(each)}:
                said[pattern] = plain
    return said


def report_sources():
    """Return the templates of the report and the captions, which no fingerprint of code holds."""
    folders = (Path(captions.__file__).parent / "templates", captions.CAPTIONS)
    return [str(path) for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]


# Rules of analyses whose captions speak of their params.
ANALYSES_WITH_CAPTIONS = []
