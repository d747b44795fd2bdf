"""The crate of a study: its metadata, and the archive that a repository takes."""

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pandas as pd
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.files import add_to_archive, written_whole
from damascene.provenance.checksums import Content, contents_of
from damascene.provenance.graph import (
    EXTRA_TERMS,
    WORKFLOW,
    absent_entity,
    absent_id,
    all_of,
    file_entity,
    flat,
    job_entities,
    of_id,
    parameter_entities,
    profile_ids,
    software_entities,
    source_entities,
    source_id,
    workflow_entities,
)
from damascene.provenance.lineage import Job, jobs_that_ran, lineage_table

METADATA = "ro-crate-metadata.json"
_SETTINGS, _README, _LICENCE = "config/config.yaml", "README.md", "#licence"
_ABOUT = """# {study}

Damage statistics of a study by damascene, as a Workflow Run RO-Crate.

- `results/report/report.html`: the report, for a browser; `data.zip` beside it has its tables.
- `results/viewer/index.html`, in an archive with images: panoramas and sites, for a browser.
- `results/`: tables, figures and records; `provenance/lineage.tsv` in it says what made each of
  them, and from what.
- `config/`: all settings and the sample sheet; `labels/`: the label files.
- `workflow/`: the code that made the results.
- `ro-crate-metadata.json`: the same for machines, with checksums of what is not in this archive.

No licence is stated. State one before you publish this archive.
"""
_OUTPUT = "#output/results"
_RUN = "#run"
# What a reader of the archive needs; the rest can be made again from it, and has a checksum.
_PACKED = (".tsv", ".txt", ".rst", ".svg", ".json", ".html", ".zip", ".csv", ".xlsx", ".parquet")
_IMAGES = (".tif", ".keras", ".npy", ".js", ".jpg")
_PACKAGES = (
    *("snakemake", "numpy", "scipy", "pandas", "scikit-learn", "scikit-image", "tensorflow"),
    *("keras", "statsmodels", "tifffile", "imagecodecs", "matplotlib", "pandera", "pydantic"),
)


@dataclass(frozen=True, kw_only=True)
class Deposit:
    """What an archive is made from.

    Attributes
    ----------
    settings : mapping
        The configuration with all defaults.
    version : str
        Of the workflow.
    products : sequence of Content
        Products below results/.
    given : mapping of str to Content
        What the user gave and the archive holds, by its path in the archive.
    absent : sequence of Content
        What the user gave and the archive does not hold.
    code : mapping of str to path
        Files of the workflow by their path in the archive.
    jobs : sequence of Job
    records : sequence of PanoramaRecord
    """

    settings: Mapping
    version: str
    products: Sequence[Content]
    given: Mapping[str, Content]
    absent: Sequence[Content]
    code: Mapping[str, Path]
    jobs: Sequence[Job]
    records: Sequence[PanoramaRecord]


def deposit_of(
    products: Iterable[str],
    *,
    settings: Mapping,
    version: str,
    sheet: str,
    labels: Mapping[str, str],
    networks: Iterable[str],
    workflow: Path,
    memory: Path = Path(".snakemake/metadata"),
) -> Deposit:
    """Read what an archive is made from.

    Parameters
    ----------
    products : iterable of str
        Paths of all products of the study; a folder stands for all files in it.
    settings, version
        See `Deposit`.
    sheet : str
        Path of the sample sheet.
    labels : mapping of str to str
        Paths of label files by their name in the archive.
    networks : iterable of str
        Paths of networks from elsewhere.
    workflow : pathlib.Path
        Folder of the Snakefile.
    memory : pathlib.Path, optional
        See `lineage.jobs_that_ran`.
    """
    products = list(products)
    contents = contents_of(products)
    records = [
        PanoramaRecord.read(each.path)
        for each in contents
        if each.path.startswith("results/panoramas/") and each.path.endswith(".json")
    ]
    given = {"config/panoramas.tsv": sheet} | {f"labels/{name}": at for name, at in labels.items()}
    code = {
        f"workflow/{path.relative_to(workflow)}": path
        for path in sorted(workflow.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    return Deposit(
        settings=settings,
        version=version,
        products=contents,
        given={place: each for place, at in given.items() for each in contents_of([at])},
        absent=contents_of(networks),
        code=code,
        jobs=jobs_that_ran(memory, products),
        records=records,
    )


def packed(deposit: Deposit, *, images: bool) -> list[Content]:
    """Return the products that the archive holds: images, clips and networks only if asked."""
    kinds = (*_PACKED, *(_IMAGES if images else ()))
    return [each for each in deposit.products if each.path.endswith(kinds)]


def crate_metadata(deposit: Deposit, *, images: bool = False) -> dict:
    """Return the metadata of the crate: a Workflow Run Crate in RO-Crate 1.1.

    Parameters
    ----------
    deposit : Deposit
    images : bool, optional
        Whether the archive holds images, too.

    References
    ----------
    Leo et al., Recording provenance of workflow runs with RO-Crate, 10.1371/journal.pone.0309210.
    """
    inside = packed(deposit, images=images)
    kept = {each.path for each in inside}
    left = [each for each in deposit.products if each.path not in kept]
    named = {each.path: each.path for each in inside} | {
        each.path: absent_id(each.path) for each in left
    }
    named |= {each.path: place for place, each in deposit.given.items()}
    software = software_entities({name: metadata.version(name) for name in _PACKAGES})
    files = [file_entity(each, place=each.path) for each in inside]
    files += [file_entity(each, place=place) for place, each in deposit.given.items()]
    files += [
        {
            "@id": _SETTINGS,
            "@type": "File",
            "name": "configuration with all defaults",
            "encodingFormat": "application/yaml",
        },
        {
            "@id": _README,
            "@type": "File",
            "name": "what is in this archive",
            "encodingFormat": "text/markdown",
            "about": of_id("./"),
        },
    ]
    names = list(flat(deposit.settings))
    sources = source_entities(deposit.records)
    of_records = {
        f"results/panoramas/{one.panorama}.json": [
            source_id(one.panorama, source.file) for source in one.sources
        ]
        for one in deposit.records
    }
    entities = [
        *workflow_entities(
            version=deposit.version, software=software, parameters=names, output=_OUTPUT
        ),
        *software,
        *parameter_entities(deposit.settings),
        {
            "@id": _OUTPUT,
            "@type": "FormalParameter",
            "additionalType": "Dataset",
            "name": "results",
            "conformsTo": of_id("https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"),
            "workExample": of_id("results/"),
        },
        *files,
        *(absent_entity(each) for each in (*left, *deposit.absent)),
        *sources,
        *job_entities(deposit.jobs, named=named, sources=of_records, version=deposit.version),
        _run(deposit, names=names, sources=sources),
        {
            "@id": _LICENCE,
            "@type": "CreativeWork",
            "name": "No licence is stated",
            "description": "State one before you publish this archive.",
        },
        {"@id": "workflow/", "@type": "Dataset", "name": "code of the workflow"},
        {
            "@id": "results/",
            "@type": "Dataset",
            "name": "results",
            "exampleOfWork": of_id(_OUTPUT),
            "hasPart": all_of(each.path for each in inside),
        },
    ]
    return _assembled(deposit, entities, files)


def _run(deposit, *, names, sources):
    times = [job for job in deposit.jobs if job.started]
    given = [*deposit.given, *(each["@id"] for each in sources)]
    given += [absent_id(each.path) for each in deposit.absent]
    run = {
        "@id": _RUN,
        "@type": "CreateAction",
        "name": f"run of the study {deposit.settings['study']}",
        "instrument": of_id(WORKFLOW),
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "object": [of_id(f"#value/{name}") for name in names] + [of_id(name) for name in given],
        "result": of_id("results/"),
        "description": "the jobs of the run stand in this crate, too, each with what it read",
    }
    if times:
        run["startTime"] = min(job.started for job in times)
        run["endTime"] = max(job.ended for job in times)
    return run


def _assembled(deposit, entities, files):
    crate = ROCrate(version="1.1", gen_preview=False)
    crate.metadata.extra_terms.update(EXTRA_TERMS)
    crate.name = f"{deposit.settings['study']}: damage in dual-phase steel"
    crate.description = (
        "Damage statistics of a study by damascene, with the lineage of every table, the checksums "
        "of what went in, all parameters and the code of the workflow."
    )
    ended = max((job.ended for job in deposit.jobs), default="")
    crate.datePublished = ended or "1980-01-01T00:00:00+00:00"
    crate.license = of_id(_LICENCE)
    for entity in entities:
        properties = {name: value for name, value in entity.items() if name != "@id"}
        crate.add(ContextEntity(crate, entity["@id"], properties=properties))
    root = crate.root_dataset
    root["conformsTo"] = profile_ids()
    root["mainEntity"] = of_id(WORKFLOW)
    root["hasPart"] = [
        of_id(name)
        for name in (WORKFLOW, "workflow/", "results/", *(each["@id"] for each in files))
    ]
    root["mentions"] = [of_id(each["@id"]) for each in entities if each["@type"] == "CreateAction"]
    return crate.metadata.generate()


def lineage(deposit: Deposit) -> pd.DataFrame:
    """Return which rule made each product from what: `LINEAGE`."""
    return lineage_table(deposit.jobs, deposit.products)


def write_archive(
    deposit: Deposit, path: str | Path, *, crate: str, settings: str, images: bool
) -> dict[str, int]:
    """Write the archive that a repository takes.

    Parameters
    ----------
    deposit : Deposit
    path : path
    crate : str
        The metadata as JSON.
    settings : str
        The configuration as YAML.
    images : bool
        Whether images, clips and networks belong to it.

    Returns
    -------
    dict of str to int
        Bytes of the files by the folder they lie in.
    """
    inside = {each.path: Path(each.path) for each in packed(deposit, images=images)}
    inside |= {place: Path(each.path) for place, each in deposit.given.items()}
    inside |= deposit.code
    sizes = {}
    with written_whole(path) as (part,), zipfile.ZipFile(part, "w") as archive:
        add_to_archive(archive, METADATA, crate)
        add_to_archive(archive, _SETTINGS, settings)
        add_to_archive(archive, _README, _ABOUT.format(study=deposit.settings["study"]))
        for name, file in sorted(inside.items()):
            add_to_archive(archive, name, Path(file))
        for member in archive.infolist():
            parts = member.filename.split("/")
            folder = "/".join(parts[: 2 if parts[0] == "results" else 1])
            sizes[folder] = sizes.get(folder, 0) + member.file_size
    return sizes
