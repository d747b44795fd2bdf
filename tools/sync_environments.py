"""Write the two conda environments from pyproject.toml and the versions in requirements.lock.

Conda users get Python from conda and the packages of the lock file through pip, so that both ways
of installing give the same versions. Run by `make sync`.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"
HEAD = "# Written from pyproject.toml and requirements.lock by `make sync`; do not edit.\n"


def locked_versions() -> dict[str, str]:
    """Return the version of every package in the lock file, as it is for Python 3.11."""
    pins = re.findall(
        r"^([A-Za-z0-9_.-]+)==(\S+)([^\n\\]*)",
        (ROOT / "requirements.lock").read_text(),
        flags=re.MULTILINE,
    )
    return {name: version for name, version, marker in pins if ">= '3.12'" not in marker}


def environment(name: str, *, with_tests: bool, with_snakemake: bool) -> str:
    """Return a conda environment file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + (
        project["optional-dependencies"]["test"] if with_tests else []
    )
    names = [re.match(r"[A-Za-z0-9_.-]+", requirement)[0] for requirement in wanted]
    versions = locked_versions()
    pins = [
        f"      - {package}=={versions[package]}\n"
        for package in sorted(names)
        if with_snakemake or not package.startswith("snakemake")
    ]
    return (
        f"{HEAD}name: {name}\nchannels:\n  - conda-forge\n  - nodefaults\ndependencies:\n"
        f"  - python={PYTHON}\n  - pip\n  - pip:\n{''.join(pins)}"
    )


FILES = {
    "environment.yml": {"name": "damascene", "with_tests": True, "with_snakemake": True},
    # Snakemake itself must not come a second time, in another version, into a rule's environment.
    "workflow/envs/damascene.yaml": {
        "name": "damascene-rules",
        "with_tests": False,
        "with_snakemake": False,
    },
}


def main() -> None:
    """Write both files."""
    for path, options in FILES.items():
        (ROOT / path).write_text(environment(**options))


if __name__ == "__main__":
    main()
