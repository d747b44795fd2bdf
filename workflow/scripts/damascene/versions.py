"""The versions of the numerical packages, which every record of a product states."""

import tomllib
from importlib import metadata
from pathlib import Path

#: Packages whose version may change what is made of images and tables.
IMAGE_PACKAGES = (
    "numpy",
    "scipy",
    "scikit-image",
    "tifffile",
    "imagecodecs",
    "pywavelets",
    "pandas",
)
#: Packages whose version may change what networks learn and answer.
NETWORK_PACKAGES = (*IMAGE_PACKAGES, "scikit-learn", "tensorflow", "keras")


def package_versions(*names: str) -> dict[str, str]:
    """Return the installed version of packages, without importing them.

    Parameters
    ----------
    *names : str
        Names as they are installed, such as `scikit-image`.

    Returns
    -------
    dict of str to str
        In the order of the names; packages that are not installed are left out.
    """
    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def workflow_version() -> str:
    """Return the version of this workflow, `unknown` where its files were taken without it."""
    path = Path(__file__).parents[3] / "pyproject.toml"
    if not path.is_file():
        return "unknown"
    return tomllib.loads(path.read_text(encoding="utf-8"))["project"]["version"]
