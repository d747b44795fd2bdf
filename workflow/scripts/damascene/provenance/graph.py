"""The parts of a Workflow Run RO-Crate, as dictionaries of JSON-LD."""

import json
import mimetypes
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from damascene.contracts.panorama_record import PanoramaRecord
from damascene.provenance.checksums import Content
from damascene.provenance.lineage import Job

_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
#: Terms of the profile that the context of RO-Crate 1.1 lacks.
EXTRA_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
WORKFLOW = "workflow/Snakefile"
_SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
_MIME = {
    ".tsv": "text/tab-separated-values",
    ".rst": "text/x-rst",
    ".yaml": "application/yaml",
    ".parquet": "application/vnd.apache.parquet",
    ".keras": "application/zip",
    ".bib": "application/x-bibtex",
    ".svg": "image/svg+xml",
}


def of_id(name: str) -> dict[str, str]:
    """Return a reference to an entity."""
    return {"@id": name}


def all_of(names: Iterable[str]) -> dict[str, str] | list[dict[str, str]]:
    """Return references to entities; a single one stands alone, as RO-Crate recommends."""
    found = [of_id(name) for name in names]
    return found[0] if len(found) == 1 else found


def file_entity(content: Content, *, place: str, description: str = "") -> dict:
    """Return a file of the archive.

    Parameters
    ----------
    content : Content
    place : str
        Its path in the archive.
    description : str, optional
    """
    entity = {"@id": place, "@type": "File", "name": place, **_facts(content)}
    kind = _MIME.get(PurePosixPath(place).suffix) or mimetypes.guess_type(place)[0]
    return entity | ({"encodingFormat": kind} if kind else {}) | _described(description)


def absent_entity(content: Content, *, description: str = "") -> dict:
    """Return a file that is not in the archive: what it was called, its size and checksum."""
    return {
        "@id": absent_id(content.path),
        "@type": "CreativeWork",
        "name": content.path,
        **_facts(content),
        **_described(description or "not part of this archive"),
    }


def absent_id(path: str) -> str:
    """Return the name of a file that is not in the archive."""
    return "#" + path.replace(" ", "%20").lstrip("/")


def _facts(content):
    return {"contentSize": str(content.size_bytes)} | (
        {"sha256": content.sha256} if content.sha256 else {}
    )


def _described(description):
    return {"description": description} if description else {}


def source_entities(records: Iterable[PanoramaRecord]) -> list[dict]:
    """Return the images that panoramas were read from, with the checksums of their import."""
    return [
        {
            "@id": source_id(record.panorama, source.file),
            "@type": "CreativeWork",
            "name": source.file,
            "description": f"read for panorama {record.panorama}; not part of this archive",
            "contentSize": str(source.size_bytes),
            "sha256": source.sha256,
        }
        for record in records
        for source in record.sources
    ]


def source_id(panorama: str, file: str) -> str:
    """Return the name of an image that a panorama was read from."""
    return absent_id(f"source/{panorama}/{file}")


def flat(settings: Mapping, prefix: str = "") -> dict[str, str]:
    """Return the keys of a configuration with dots, and their values as text."""
    found = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{name}.")
        else:
            found[name] = value if isinstance(value, str) else json.dumps(value)
    return found


def parameter_entities(settings: Mapping) -> list[dict]:
    """Return each key of the configuration as a parameter of the workflow, and its value."""
    entities = []
    for name, value in flat(settings).items():
        entities += [
            {
                "@id": f"#parameter/{name}",
                "@type": "FormalParameter",
                "additionalType": "Text",
                "name": name,
                "conformsTo": of_id(_PARAMETER),
                "workExample": of_id(f"#value/{name}"),
            },
            {
                "@id": f"#value/{name}",
                "@type": "PropertyValue",
                "name": name,
                "value": value or "(empty)",
                "exampleOfWork": of_id(f"#parameter/{name}"),
            },
        ]
    return entities


def software_entities(versions: Mapping[str, str]) -> list[dict]:
    """Return packages with their versions."""
    return [
        {
            "@id": f"#package/{name}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
        }
        for name, version in versions.items()
    ]


def workflow_entities(
    *, version: str, software: Sequence[dict], parameters: Sequence[str], output: str
) -> list[dict]:
    """Return the workflow, its language, and the profiles that the crate keeps to.

    Parameters
    ----------
    version : str
        Of this workflow.
    software : sequence of dict
        Packages that it used.
    parameters : sequence of str
        Names of its parameters.
    output : str
        Name of the parameter that stands for its results.
    """
    profiles = [
        {"@id": name, "@type": "CreativeWork", "name": words, "version": number}
        for name, (words, number) in _PROFILES.items()
    ]
    return [
        *profiles,
        {
            "@id": _SNAKEMAKE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": of_id("https://doi.org/10.1093/bioinformatics/bts480"),
            "url": of_id("https://snakemake.readthedocs.io"),
        },
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
            "name": "damascene",
            "description": "From raw SEM panoramas of dual-phase steel to damage statistics",
            "programmingLanguage": of_id(_SNAKEMAKE),
            "version": version,
            "license": of_id("https://spdx.org/licenses/MIT"),
            "softwareRequirements": [of_id(each["@id"]) for each in software],
            "input": [of_id(f"#parameter/{name}") for name in parameters],
            "output": of_id(output),
            "conformsTo": of_id(_WORKFLOW_PROFILE),
        },
        {
            "@id": "https://spdx.org/licenses/MIT",
            "@type": "CreativeWork",
            "name": "MIT licence",
            "url": "https://spdx.org/licenses/MIT",
        },
    ]


def job_entities(
    jobs: Sequence[Job],
    *,
    named: Mapping[str, str],
    sources: Mapping[str, Sequence[str]],
    version: str,
) -> list[dict]:
    """Return what each job did, and the rules as tools.

    Parameters
    ----------
    jobs : sequence of Job
    named : mapping of str to str
        Names of the entities of files, by path; inputs that are not among them are left out.
    sources : mapping of str to sequence of str
        Names of the images that a panorama was read from, by the path of its record.
    version : str
        Of the workflow.
    """
    rules = [
        {
            "@id": f"#rule/{rule}",
            "@type": "SoftwareApplication",
            "name": rule,
            "softwareVersion": version,
            "url": of_id(WORKFLOW),
            "description": f"rule {rule} of the workflow, by workflow/scripts/{rule}.py",
        }
        for rule in sorted({job.rule for job in jobs})
    ]
    actions = []
    for number, job in enumerate(jobs):
        read = [named[path] for path in job.inputs if path in named]
        read += [name for path in job.outputs for name in sources.get(path, ())]
        made = [named[path] for path in job.outputs if path in named]
        if not made:
            continue
        actions.append(
            {
                "@id": f"#job/{number}",
                "@type": "CreateAction",
                "name": f"{job.rule} ({job.outputs[0]})",
                "instrument": of_id(f"#rule/{job.rule}"),
                "actionStatus": "http://schema.org/CompletedActionStatus",
                "description": f"made {len(made)} files from {len(read)}",
                "result": all_of(made),
            }
            | ({"object": all_of(read)} if read else {})
            | ({"startTime": job.started} if job.started else {})
            | ({"endTime": job.ended} if job.ended else {})
        )
    return [*rules, *actions]


def profile_ids() -> list[dict[str, str]]:
    """Return references to the profiles that the crate keeps to."""
    return [of_id(name) for name in _PROFILES]
