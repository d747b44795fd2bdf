"""The library: it is used without an install, and this file says where it is found.

Rules find it on Python's path, jobs find it beside their script. Where another workflow takes this
one from a hosting site, `snakefile: github(...)`, the engine fetches only the files that rules name.
The rest, the library and what lies in resources/, is unpacked here from the engine's own clone.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path


def local_folder(folder, cache):
    """Return where a folder of this repository lies on this machine.

    Parameters
    ----------
    folder : snakemake.sourcecache.SourceFile
    cache : pathlib.Path
        Where the engine keeps what it has fetched.
    """
    if folder.is_local:
        return Path(folder)
    repository = folder.hosted_repo.repo
    commit = repository.commit(folder.ref).hexsha
    whole = cache / "damascene" / commit
    if not whole.exists():
        whole.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=whole.parent) as place:
            packed, unpacked = Path(place) / "all.tar", Path(place) / "all"
            with packed.open("wb") as file:
                repository.archive(file, commit)
            shutil.unpack_archive(packed, unpacked)
            # Only whole folders get this name, also when several runs unpack at once.
            if not whole.exists():
                unpacked.rename(whole)
    return whole / folder.path


SCRIPTS = str(
    local_folder(workflow.current_basedir, workflow.sourcecache.cache_path).parent / "scripts"
)
sys.path.insert(0, SCRIPTS)
if not workflow.current_basedir.is_local:
    # Beside their script in the engine's cache, jobs find no library.
    os.environ.update(PYTHONPATH=os.pathsep.join([SCRIPTS, os.getenv("PYTHONPATH", "")]))
