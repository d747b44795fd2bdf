"""Products that were made with other versions of numerical packages than are installed."""

import json
from collections import defaultdict
from pathlib import Path

from damascene.versions import package_versions


def other_versions(results: Path = Path("results")) -> list[str]:
    """Say which products were made with other versions of packages, from their records.

    Returns
    -------
    list of str
        Lines for the terminal, none where all versions are the same.
    """
    made = defaultdict(list)
    for path in sorted(results.glob("*/*.json")):
        for name, version in _versions(path).items():
            made[name, version].append(path)
    installed = package_versions(*sorted({name for name, _ in made}))
    lines = [
        f"  {name} {version}, now {installed.get(name, 'not installed')}: {paths[0]}"
        + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
        for (name, version), paths in sorted(made.items())
        if installed.get(name) != version
    ]
    if not lines:
        return []
    return [
        "Some products were made with other versions of packages:",
        *lines,
        "They are kept and joined with new ones; numbers may differ in their last digits. To have "
        "all from one set of versions, make everything again (--forceall), or install the "
        "versions of requirements.lock.",
    ]


def _versions(path):
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    versions = content.get("versions") if isinstance(content, dict) else None
    if not isinstance(versions, dict):
        return {}
    return {name: one for name, one in versions.items() if name and isinstance(one, str)}
