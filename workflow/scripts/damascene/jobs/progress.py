"""What a run shows: one line with the jobs done, those running and the time left.

The workflow engine tells of every job in a dozen lines. They go into its own log as before; on the
screen one line stands for them. A terminal shows it in place and renews it every second. Where the
cursor cannot go back (`TERM=dumb`, a file) the line is written anew when it has changed, every ten
seconds at most. Messages of other kinds, errors above all, are shown as the engine writes them.
"""

import copy
import json
import logging
import re
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from damascene.jobs.log import INPUT_ERROR, erasing

#: Expected seconds of a job, of its rule and its wildcards.
Expected = Callable[[str, Mapping[str, str]], float]
#: Seconds between two looks of the line, in place and in a file.
LIVE_S, WRITTEN_S = 1, 10
#: A job that runs for long is shown to be alive after this time, in seconds, in a file.
ALIVE_S = 600
#: Messages about single jobs, for which the line stands.
_OF_JOBS = {"job_info", "job_started", "job_finished", "shellcmd", "group_info", "progress"}
_ASIDE = ("Select jobs to execute", "Removing temporary output")
# Ending of an executed notebook, which is the log of its job.
_NOTEBOOK = ".ipynb"
#: What the engine says of a job that has said itself why it failed.
_REPEATED = re.compile(
    r"RuleException:\nCalledProcessError .*returned non-zero exit status 1\.", re.DOTALL
)
#: Expected times count like this many seconds of work done, until the run itself has shown more.
_TRUST_S = 30


@dataclass(frozen=True, kw_only=True)
class Running:
    """A job that runs: its rule, what it is for, how long it should take and since when it runs."""

    rule: str
    wildcards: Mapping[str, str]
    expected_s: float
    since_s: float


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A job that failed: its rule with what it was for, and the path of its log."""

    name: str
    log: str | None


@dataclass(kw_only=True)
class Progress:
    """Jobs of a run, counted from the messages of the workflow engine.

    Attributes
    ----------
    expected : Expected
    total, done : int
        Number of jobs.
    expected_s : float
        Sum over all jobs.
    begun_s : float
        When the run began, on the clock that all methods are told the time of.
    running : dict of int to Running
        By the number that the engine gives to a job. On a cluster, those in the queue are among
        them.
    failed : dict of int to Failed
        A job that was repeated and then went well is not among them.
    """

    expected: Expected
    total: int
    expected_s: float
    begun_s: float
    done: int = 0
    running: dict[int, Running] = field(default_factory=dict)
    failed: dict[int, Failed] = field(default_factory=dict)
    _done_expected_s: float = 0.0
    _done_took_s: float = 0.0

    def note(self, record: logging.LogRecord, *, now_s: float) -> None:
        """Take account of a message; those that are not about jobs change nothing."""
        match getattr(record, "event", None):
            case "job_info":
                self.running[record.jobid] = Running(
                    rule=record.rule_name,
                    wildcards=record.wildcards,
                    expected_s=self.expected(record.rule_name, record.wildcards),
                    since_s=now_s,
                )
            case "job_finished" if record.job_id in self.running:
                job = self.running.pop(record.job_id)
                self.failed.pop(record.job_id, None)
                self._done_expected_s += job.expected_s
                self._done_took_s += now_s - job.since_s
            case "job_error":
                job = self.running.pop(record.jobid, None)
                name = [record.rule_name, *(job.wildcards.values() if job else [])]
                log = record.log[0] if record.log else None
                self.failed[record.jobid] = Failed(name=" ".join(name), log=log)
            case "progress":
                self.done, self.total = record.done, record.total

    def left_s(self, *, now_s: float) -> float:
        """Return the seconds that the run still takes, if as many jobs run at once as until now.

        Expected times are scaled to what the jobs that are done have taken.
        """
        pace = (self._done_took_s + _TRUST_S) / (self._done_expected_s + _TRUST_S)
        spent = sum(now_s - job.since_s for job in self.running.values())
        rests = [
            max(pace * job.expected_s - (now_s - job.since_s), 0) for job in self.running.values()
        ]
        begun = self._done_expected_s + sum(job.expected_s for job in self.running.values())
        waiting = pace * max(self.expected_s - begun, 0)
        elapsed = now_s - self.begun_s
        at_once = max((self._done_took_s + spent) / elapsed if elapsed > 0 else 1, 1)
        return max([(waiting + sum(rests)) / at_once, *rests])

    def line(self, *, now_s: float) -> str:
        """Return the line: jobs done, time left, and what runs."""
        head = f"{self.done} of {self.total} jobs done"
        if self.done == self.total:
            return head
        # Nobody needs to know it to the second.
        left = 10 * round(self.left_s(now_s=now_s) / 10)
        head += f", about {duration(left)} left" if left else ", a few seconds left"
        return f"{head}; running: {self._names(now_s)}" if self.running else head

    def _names(self, now_s):
        by_rule = defaultdict(list)
        for job in self.running.values():
            by_rule[job.rule].append(job)
        return ", ".join(
            " ".join([rule, *jobs[0].wildcards.values(), f"({duration(now_s - jobs[0].since_s)})"])
            if len(jobs) == 1
            else f"{len(jobs)} x {rule}"
            for rule, jobs in by_rule.items()
        )


def duration(seconds: float) -> str:
    """Return a time as people say it: `42 s`, `7 min`, `2 h 05 min`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class ProgressHandler(logging.Handler):
    """Shows the line of progress, and passes on every message that is not about a single job.

    Parameters
    ----------
    screen : logging.StreamHandler
        Which shows the messages of the engine.
    progress : Progress
    """

    def __init__(self, screen: logging.StreamHandler, progress: Progress):
        super().__init__()
        self.screen, self.progress = screen, progress
        self._erase = erasing(screen.stream)
        self._shown, self._shown_s = "", float("-inf")
        self._ended = threading.Event()
        threading.Thread(target=self._renew, daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Count a message about a job, show any other."""
        event = getattr(record, "event", None)
        self.progress.note(record, now_s=time.monotonic())
        if event == "progress" and self.progress.done == self.progress.total:
            self._show(last=True)
        text = record.getMessage()
        if event not in _OF_JOBS and not text.startswith(_ASIDE) and not _REPEATED.match(text):
            self._write(self._erase)
            self.screen.handle(_without_notebooks(record))

    def close(self) -> None:
        """Stop to show the line."""
        self._ended.set()
        with self.lock:
            self._write(self._erase)
        self.screen.close()
        super().close()

    def _renew(self):
        while not self._ended.wait(LIVE_S if self._erase else WRITTEN_S):
            with self.lock:
                if not self._ended.is_set() and self.progress.done < self.progress.total:
                    self._show()

    def _show(self, *, last=False):
        now_s = time.monotonic()
        line = f"{time.strftime('%H:%M:%S')} {self.progress.line(now_s=now_s)}"
        state = (self.progress.done, *self.progress.running)
        if self._erase:
            width = shutil.get_terminal_size().columns - 1
            cut = line if len(line) <= width else f"{line[: width - 3]}..."
            self._write(self._erase + cut + ("\n" if last else ""))
        elif state != self._shown or now_s - self._shown_s >= ALIVE_S:
            self._write(line + "\n")
            self._shown, self._shown_s = state, now_s

    def _write(self, text):
        # A terminal that was closed ends no run.
        try:
            self.screen.stream.write(text)
            self.screen.stream.flush()
        except (OSError, ValueError):
            pass


def _without_notebooks(record):
    """Return a message that shows no executed notebook as a log: its pictures are long."""
    logs = getattr(record, "log", None)
    if not logs or not any(str(log).endswith(_NOTEBOOK) for log in logs):
        return record
    shown = copy.copy(record)
    shown.log = [log for log in logs if not str(log).endswith(_NOTEBOOK)]
    return shown


def tell_failures(logger: logging.Logger) -> str:
    """Return what a failed run ends with: every job that failed, its reason and its log.

    Parameters
    ----------
    logger : logging.Logger
        That of the workflow engine.
    """
    shown = [one.progress for one in logger.handlers if isinstance(one, ProgressHandler)]
    failed = [job for progress in shown for job in progress.failed.values()]
    lines = ["The run is not complete. What failed:"] if failed else []
    if shown and not failed:
        lines.append("The run is not complete. It was stopped, or the lines above say why.")
    for job in failed:
        lines += [f"  {job.name}: {_reason(job.log)}", f"    log: {job.log or 'none'}"]
    lines.append("All logs: results/logs/. Put it right and run again: finished products are kept.")
    return "\n".join(lines)


def _reason(log):
    """Return the message of an `InputError` in a log, or the last line if it ends in a stack."""
    try:
        text = Path(log).read_text(errors="replace") if log else ""
    except OSError:
        text = ""
    if str(log).endswith(_NOTEBOOK):
        text = _error_in_notebook(text)
    _, told, message = text.rpartition(INPUT_ERROR)
    if told:
        return "\n    ".join(message.strip().splitlines())
    if "Traceback" not in text:
        return "its log has no reason; it was stopped from outside, or never began"
    return text.strip().splitlines()[-1]


def _error_in_notebook(text):
    """Return the error that ended an executed notebook as a log would hold it, or nothing."""
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, KeyError):
        return ""
    errors = [
        output
        for cell in cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]
    if not errors:
        return ""
    kind, message = errors[-1]["ename"], errors[-1]["evalue"]
    is_input = INPUT_ERROR.strip(": ").endswith(f".{kind}")
    return f"{INPUT_ERROR}{message}" if is_input else f"Traceback\n{kind}: {message}"


def show_progress(
    logger: logging.Logger, jobs: Iterable[tuple[str, Mapping[str, str]]], *, expected: Expected
) -> None:
    """Show a line of progress instead of the messages about single jobs.

    Nothing happens where the user has chosen another way to show messages.

    Parameters
    ----------
    logger : logging.Logger
        That of the workflow engine.
    jobs : iterable of (str, mapping)
        Rule and wildcards of every job that will run.
    expected : Expected
    """
    screen = next((one for one in logger.handlers if one.name == "DefaultStreamHandler"), None)
    if screen is None:
        return
    times = [expected(rule, wildcards) for rule, wildcards in jobs]
    progress = Progress(
        expected=expected, total=len(times), expected_s=sum(times), begun_s=time.monotonic()
    )
    logger.removeHandler(screen)
    logger.addHandler(ProgressHandler(screen, progress))
