"""What a run shows, from messages as the workflow engine sends them."""

import io
import json
import logging
import os
import pty
import threading

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from damascene.jobs.progress import (
    Progress,
    ProgressHandler,
    duration,
    show_progress,
    tell_failures,
)

SECONDS = {"import_panorama": 100.0, "draw_sizes": 20.0, "all": 0.0}


def message(event=None, text="", level=logging.INFO, **content):
    record = logging.LogRecord("snakemake.logging", level, "", 0, text, (), None)
    record.event = event
    vars(record).update(content)
    return record


def starts(number, rule, **wildcards):
    return message(LogEvent.JOB_INFO, jobid=number, rule_name=rule, wildcards=wildcards)


def ends(number):
    return message(LogEvent.JOB_FINISHED, job_id=number)


def fails(number, rule, *log):
    return message(
        LogEvent.JOB_ERROR, "Error", logging.ERROR, jobid=number, rule_name=rule, log=list(log)
    )


def counts(done, total):
    return message(LogEvent.PROGRESS, done=done, total=total)


@pytest.fixture
def progress():
    """Return a run of two imports and a figure, at its start."""
    return Progress(expected=lambda rule, _: SECONDS[rule], total=3, expected_s=220, begun_s=0)


def test_the_line_names_what_runs_and_how_long_it_still_takes(progress):
    assert progress.line(now_s=0) == "0 of 3 jobs done, about 4 min left"
    progress.note(starts(1, "import_panorama", panorama="a"), now_s=0)
    assert progress.line(now_s=40) == (
        "0 of 3 jobs done, about 3 min left; running: import_panorama a (40 s)"
    )
    progress.note(starts(2, "import_panorama", panorama="b"), now_s=40)
    assert progress.line(now_s=41).endswith("running: 2 x import_panorama")
    for record in (ends(1), ends(2), counts(2, 3)):
        progress.note(record, now_s=100)
    assert progress.line(now_s=100).startswith("2 of 3 jobs done, about ")
    progress.note(counts(3, 3), now_s=120)
    assert progress.line(now_s=120) == "3 of 3 jobs done"


def test_time_left_follows_from_expected_times(progress):
    """Work of 220 s is expected; two jobs at once do it in half the time."""
    assert progress.left_s(now_s=0) == pytest.approx(220)
    for number, name in enumerate("ab"):
        progress.note(starts(number, "import_panorama", panorama=name), now_s=0)
    assert progress.left_s(now_s=50) == pytest.approx((50 + 50 + 20) / 2)
    # As long as the longest job at least, and never less than nothing.
    progress.note(ends(0), now_s=99)
    assert progress.left_s(now_s=99) < 20
    assert progress.left_s(now_s=500) >= 0


def test_a_slow_machine_is_noticed(progress):
    progress.note(starts(1, "import_panorama", panorama="a"), now_s=0)
    progress.note(ends(1), now_s=400)
    # Jobs take 400 s instead of 100 s; the expectation has a say of 30 s.
    assert progress.left_s(now_s=400) == pytest.approx(120 * 430 / 130)


@pytest.mark.parametrize(
    ("seconds", "said"), [(4.4, "4 s"), (59, "59 s"), (119, "2 min"), (7500, "2 h 05 min")]
)
def test_duration(seconds, said):
    assert duration(seconds) == said


def handler(stream, progress):
    screen = logging.StreamHandler(stream)
    screen.name = "DefaultStreamHandler"
    return ProgressHandler(screen, progress)


def test_a_file_gets_other_messages_and_whole_lines_only(progress):
    stream = io.StringIO()
    shown = handler(stream, progress)
    for record in (
        starts(1, "import_panorama", panorama="a"),
        message(text="Select jobs to execute..."),
        message(text="no such node", level=logging.WARNING),
        # The job has told the reason itself.
        message(
            text="RuleException:\nCalledProcessError in file a.smk, line 9:\nCommand 'python a.py' "
            "returned non-zero exit status 1.",
            level=logging.ERROR,
        ),
        message(LogEvent.JOB_ERROR, "Error in rule x", jobid=1, rule_name="x", log=[]),
        ends(2),
        counts(3, 3),
    ):
        shown.handle(record)
    shown.close()
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["no such node", "Error in rule x"]
    assert lines[2].endswith(" 3 of 3 jobs done") and len(lines) == 3


@pytest.mark.parametrize(("term", "renewed"), [("xterm", True), ("dumb", False)])
def test_a_terminal_shows_the_line_in_place_unless_it_cannot(progress, monkeypatch, term, renewed):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLUMNS", "30")
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        shown = handler(stream, progress)
        shown.handle(starts(1, "import_panorama", panorama="a"))
        with shown.lock:
            shown._show()
        shown.handle(message(text="a warning"))
        shown.close()
        # A message after it has been closed, as at the end of a run, is no fault.
        shown._write("")
    text = os.read(master, 10_000).decode()
    os.close(master)
    assert ("\x1b" in text) == renewed
    if renewed:
        line, after = text.lstrip("\r\x1b[K").split("\r\x1b[K", 1)
        assert len(line) < 30 and line.endswith("...") and after.startswith("a warning")
    else:
        assert text.split("\r\n")[1] == "a warning"


def test_no_thread_outlives_the_run(progress):
    before = threading.active_count()
    shown = handler(io.StringIO(), progress)
    shown.close()
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith("Thread"):
            thread.join(timeout=5)
    assert threading.active_count() <= before


def test_nothing_of_the_handlers_own_is_overwritten(progress):
    shown = handler(io.StringIO(), progress)
    own = vars(logging.Handler())
    assert {name: type(vars(shown)[name]) for name in own} == {
        name: type(value) for name, value in own.items()
    }
    shown.close()


def test_a_failed_run_ends_with_jobs_reasons_and_logs(tmp_path):
    told, killed = tmp_path / "told.log", tmp_path / "killed.log"
    told.write_text("12:00 damascene.InputError: no tile\nno row\n\n")
    killed.write_text("12:00 host a\n")
    logger = logging.Logger("engine")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.handlers[0].name = "DefaultStreamHandler"
    show_progress(logger, [("import_panorama", {})] * 3, expected=lambda rule, _: SECONDS[rule])
    for number, log in enumerate([told, killed, told]):
        logger.handle(starts(number, "import_panorama", panorama="abc"[number]))
        logger.handle(fails(number, "import_panorama", str(log)))
    # Repeated, and then well.
    logger.handle(starts(2, "import_panorama", panorama="c"))
    logger.handle(ends(2))
    lines = tell_failures(logger).splitlines()
    assert lines[1:4] == ["  import_panorama a: no tile", "    no row", f"    log: {told}"]
    assert lines[4].startswith("  import_panorama b: its log has no reason")
    assert len(lines) == 7 and "results/logs/" in lines[6]


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ([{"output_type": "error", "ename": "InputError", "evalue": "no sites"}], "no sites"),
        ([{"output_type": "error", "ename": "KeyError", "evalue": "'a'"}], "KeyError: 'a'"),
        ([{"output_type": "stream", "text": "a"}], "its log has no reason"),
    ],
)
def test_the_reason_of_a_failed_notebook_is_its_error_and_its_pictures_are_not_shown(
    tmp_path, outputs, reason
):
    executed = tmp_path / "1_a.ipynb"
    executed.write_text(json.dumps({"cells": [{"source": ""}, {"outputs": outputs}]}))
    screen = io.StringIO()
    logger = logging.Logger("engine")
    logger.addHandler(logging.StreamHandler(screen))
    logger.handlers[0].name = "DefaultStreamHandler"
    logger.handlers[0].setFormatter(logging.Formatter("%(message)s logs: %(log)s"))
    show_progress(logger, [("import_panorama", {})], expected=lambda rule, _: SECONDS[rule])
    failed = fails(0, "import_panorama", str(executed))
    logger.handle(failed)
    assert tell_failures(logger).splitlines()[1].startswith(f"  import_panorama: {reason}")
    assert "1_a.ipynb" not in screen.getvalue() and "logs: []" in screen.getvalue()
    # Other handlers, such as the log of the engine, still know it.
    assert failed.log == [str(executed)]


def test_a_stopped_run_names_no_failure():
    logger = logging.Logger("engine")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.handlers[0].name = "DefaultStreamHandler"
    show_progress(logger, [("import_panorama", {})], expected=lambda rule, _: SECONDS[rule])
    logger.handle(starts(0, "import_panorama", panorama="a"))
    lines = tell_failures(logger).splitlines()
    assert lines[0] == "The run is not complete. It was stopped, or the lines above say why."
    assert len(lines) == 2 and "finished products are kept" in lines[1]


def test_another_way_to_show_messages_is_left_alone():
    logger = logging.Logger("engine")
    other = logging.NullHandler()
    logger.addHandler(other)
    show_progress(logger, [], expected=lambda *_: 0)
    assert logger.handlers == [other]
    assert "results/logs/" in tell_failures(logger)
