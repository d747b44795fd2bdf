"""The fingerprint of the library, the log of a job, and the two conda environments."""

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from damascene.jobs import fingerprint
from damascene.jobs.log import describe_place

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow/scripts"


@pytest.fixture
def small_library(tmp_path, monkeypatch):
    for name, source in {
        "find_sites.py": "from damascene.detection import find\nsnakemake.log[0]\n",
        "draw_sites.py": "from damascene.figures.draw import B\n",
        "damascene/__init__.py": "",
        "damascene/tables.py": "A = 1\n",
        "damascene/detection/__init__.py": "",
        "damascene/detection/find.py": "from damascene import tables\nimport numpy\n",
        "damascene/figures/__init__.py": "",
        "damascene/figures/draw.py": "from damascene.detection import find\nB = 1\n",
        "damascene/figures/other.py": "C = 1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(source)
    library = tmp_path / "damascene"
    monkeypatch.setattr(fingerprint, "LIBRARY", library)

    def prints():
        fingerprint.library_fingerprint.cache_clear()
        fingerprint._module.cache_clear()
        fingerprint.module_path.cache_clear()
        return {
            name: fingerprint.library_fingerprint(name) for name in ("find_sites", "draw_sites")
        }

    yield library, prints
    fingerprint.library_fingerprint.cache_clear()
    fingerprint._module.cache_clear()
    fingerprint.module_path.cache_clear()


def test_a_change_reaches_what_imports_it_and_nothing_else(small_library):
    folder, prints = small_library
    before = prints()
    assert prints() == before
    (folder / "figures/other.py").write_text("C = 2\n")
    assert prints() == before
    (folder / "figures/draw.py").write_text("from damascene.detection import find\nB = 2\n")
    after_figures = prints()
    assert after_figures["find_sites"] == before["find_sites"]
    assert after_figures["draw_sites"] != before["draw_sites"]
    (folder / "tables.py").write_text("A = 2\n")
    after_tables = prints()
    assert all(after_tables[name] != after_figures[name] for name in before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("B = 1\n", "# Why it is so.\nB = 1  # one\n"),
        ("B = 1\n", '"""What it is for."""\n\n\nB = 1\n'),
        (
            'def f(a):\n    """Old."""\n    return a\n',
            'def f(a):\n    """New."""\n    return (a)\n',
        ),
        ('b = Field(1, description="old")\n', 'b = Field(1, description="new")\n'),
        ('raise ValueError(f"old {b}")\n', 'raise ValueError(\n    f"{b}: new"\n) from error\n'),
        ('logger.info("%d", b)\n', 'logger.info("%d sites", b)\n'),
    ],
)
def test_what_only_people_read_runs_nothing_again(small_library, before, after):
    folder, prints = small_library
    (folder / "figures/draw.py").write_text(before)
    first = prints()
    (folder / "figures/draw.py").write_text(after.replace(" from error", ""))
    assert prints() == first


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("b = Field(1)\n", "b = Field(2)\n"),
        ("raise ValueError(b)\n", "raise TypeError(b)\n"),
        ("if b:\n    raise ValueError(b)\n", "if not b:\n    raise ValueError(b)\n"),
        ('b = title("old")\n', 'b = title("new")\n'),
        ("def f(a):\n    return a\n", "def f(a):\n    return -a\n"),
        ("b = a[1:]\n", "b = a[:1]\n"),
        ("b = {**a, 1: 2}\n", "b = {1: 2, **a}\n"),
        ("b = [a, [c]]\n", "b = [[a], c]\n"),
        ("b = f(1, *a)\n", "b = f(*a, 1)\n"),
        ("b = 'a.b'\n", "b = a.b\n"),
        ("def f(a, *, c=1): ...\n", "def f(a=1, *, c): ...\n"),
        ("b = 1\n", "b = 1.0\n"),
        ("if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n"),
        (
            "if a: ...\nelse:\n    if b:\n        c()\n    d()\n",
            "if a: ...\nelse:\n    if b:\n        c()\n    else:\n        d()\n",
        ),
    ],
)
def test_what_is_computed_does(small_library, before, after):
    folder, prints = small_library
    (folder / "figures/draw.py").write_text(before)
    first = prints()
    (folder / "figures/draw.py").write_text(after)
    assert prints()["draw_sites"] != first["draw_sites"]


def test_an_adapter_is_hashed_like_the_library(small_library):
    folder, prints = small_library
    before, adapter = prints(), folder.parent / "find_sites.py"
    adapter.write_text("# Finds.\n" + adapter.read_text())
    assert prints() == before
    adapter.write_text(adapter.read_text().replace("log[0]", "log[1]"))
    assert prints()["find_sites"] != before["find_sites"]


def test_content_is_the_same_wherever_it_lies(tmp_path):
    for name, text in {"a": "one", "b": "one", "c": "two"}.items():
        (tmp_path / name).write_text(text)
    a, b, c = (fingerprint.content_digest(tmp_path / name) for name in "abc")
    assert a == b != c and fingerprint.content_digest() == ""


def test_a_module_that_imports_by_name_reaches_its_whole_package(small_library):
    folder, prints = small_library
    before = prints()
    (folder / "figures/draw.py").write_text("B = importlib.import_module(NAME)\n")
    reached = prints()
    (folder / "figures/other.py").write_text("C = 2\n")
    after = prints()
    assert after["draw_sites"] != reached["draw_sites"]
    assert after["find_sites"] == reached["find_sites"] == before["find_sites"]


def test_an_unknown_script_is_an_error():
    with pytest.raises(FileNotFoundError):
        fingerprint.library_fingerprint("no_such_script")


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        ("raise damascene.InputError('the tile is cut off')", "the tile is cut off"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (
            "raise OSError(28, 'No space left on device')",
            "OSError: [Errno 28] No space left on device. Free some space and run again; finished "
            "products are kept.",
        ),
    ],
)
def test_a_crash_is_told_in_a_line_and_logged_in_full(tmp_path, statement, line):
    log = tmp_path / "job.log"
    program = (
        f"import damascene\nfrom damascene.jobs.log import start_log\n"
        f"start_log({str(log)!r}).info('begun')\n{statement}\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert run.stderr.splitlines() == [line, f"(details: {log})"]
    first, second, *_ = log.read_text().splitlines()
    assert f"host {platform.node()}" in first and second.endswith("begun")
    # The log of a job that found bad input shows what the user has to know alone.
    stack = tmp_path / "job.log.stack"
    assert stack.exists() == (line == "the tile is cut off")
    assert "Traceback" in (stack if stack.exists() else log).read_text()


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({}, "host login1"),
        ({"OMP_NUM_THREADS": "2"}, "host login1, threads 2"),
        (
            {
                "SLURM_JOB_ID": "17",
                "SLURMD_NODENAME": "gpu1",
                "CUDA_VISIBLE_DEVICES": "3",
                "OMP_NUM_THREADS": "8",
            },
            "host login1, SLURM job 17 on node gpu1, CUDA_VISIBLE_DEVICES 3, threads 8",
        ),
        # Set but empty hides all GPUs, which is another thing than not being set.
        ({"CUDA_VISIBLE_DEVICES": ""}, "host login1, CUDA_VISIBLE_DEVICES empty"),
    ],
)
def test_the_log_says_where_a_job_runs(environment, line):
    assert describe_place(environment, host="login1") == line


def test_conda_environments_are_in_sync_with_the_lock_file():
    spec = importlib.util.spec_from_file_location("sync", ROOT / "tools/sync_environments.py")
    sync = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sync)
    for path, options in sync.FILES.items():
        assert (ROOT / path).read_text() == sync.environment(**options)


def test_the_lock_file_has_hashes_and_no_addresses():
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    requirements = lock.replace("\\\n", " ").splitlines()
    assert len(requirements) > 50
    assert all("==" in line and "--hash=sha256:" in line for line in requirements)
