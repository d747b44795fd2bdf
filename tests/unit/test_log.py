"""The log of a job: whatever the job's process writes lies there, and the terminal stays clean."""

import ast
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow/scripts"
#: Writes as TensorFlow does, below Python's streams, and as a careless library does, by them.
NOISE = (
    "import os; os.write(2, b'from C\\n'); os.write(1, b'also C\\n'); print('printed', flush=True)"
)


def program(log, *statements):
    start = f"from damascene.jobs.log import start_log; logger = start_log({str(log)!r})"
    return [sys.executable, "-c", "\n".join([start, *statements])]


def run(command):
    return subprocess.run(command, cwd=SCRIPTS, capture_output=True, text=True, check=False)


def test_what_is_written_below_python_lands_in_the_log(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("of an earlier run\n")
    done = run(program(log, "logger.info('begun')", NOISE, "logger.info('ended')"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    lines = log.read_text().splitlines()
    assert lines[0].split()[1] == "host"
    assert [line.split()[-1] for line in lines[1:]] == ["begun", "C", "C", "printed", "ended"]


def test_a_child_of_the_job_writes_there_too_and_a_crash_is_still_told(tmp_path):
    log = tmp_path / "job.log"
    child = "import subprocess; subprocess.run('echo from a child >&2', shell=True)"
    done = run(program(log, child, "raise ValueError('no such grain')"))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.splitlines() == ["ValueError: no such grain", f"(details: {log})"]
    assert "from a child" in log.read_text() and "Traceback" in log.read_text()


def test_what_the_user_gave_wrong_is_told_without_a_stack(tmp_path):
    log = tmp_path / "job.log"
    done = run(
        program(log, "from damascene import InputError; raise InputError('no tile\\nno row')")
    )
    assert done.stderr.splitlines() == ["no tile", "no row", f"(details: {log})"]
    assert "Traceback" not in log.read_text()
    assert log.read_text().endswith("damascene.InputError: no tile\nno row\n")
    assert "Traceback" in (tmp_path / "job.log.stack").read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_below_the_log_ends_no_job_and_hides_no_reason():
    done = run(program("/dev/full", "logger.info('begun')"))
    assert (done.returncode, done.stderr) == (0, "")
    done = run(program("/dev/full", "logger.info('begun')", "raise ValueError('no such grain')"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "ValueError: no such grain"


@pytest.mark.parametrize(("term", "clears"), [("xterm", True), ("dumb", False)])
def test_the_reason_of_a_crash_begins_a_line_of_its_own(tmp_path, term, clears):
    """On a terminal the line of progress stands where the reason is written."""
    master, slave = pty.openpty()
    command = program(tmp_path / "job.log", "raise ValueError('no such grain')")
    subprocess.run(command, cwd=SCRIPTS, stderr=slave, env=os.environ | {"TERM": term}, check=False)
    os.close(slave)
    shown = os.read(master, 10_000).decode()
    os.close(master)
    assert shown.startswith("\r\x1b[KValueError" if clears else "ValueError")


def test_adapters_start_their_log_before_tensorflow_is_imported():
    """It writes to the terminal as soon as it is imported."""
    first, others = set(), set()
    for path in SCRIPTS.glob("*.py"):
        imported = set()
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module)
            elif "start_log(" in ast.unparse(node):
                break
        if imported == {"damascene.jobs.log"}:
            first.add(path.stem)
        else:
            others |= {name for name in imported if name.startswith("damascene")}
    assert {"train_network", "classify_sites"} <= first
    imports = "\n".join(f"import {name}" for name in sorted(others))
    done = run([sys.executable, "-c", f"{imports}\nimport sys\nprint('keras' in sys.modules)"])
    assert done.stdout.strip() == "False", done.stderr[-2000:]
