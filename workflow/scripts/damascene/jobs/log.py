"""The log of a job: progress lines while it runs, the reason when it fails."""

import contextlib
import logging
import os
import platform
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

from damascene import InputError
from damascene.files import MAKE_ROOM, NO_ROOM

#: What the message of an `InputError` begins with in a log.
INPUT_ERROR = "damascene.InputError: "


def start_log(path: str | Path) -> logging.Logger:
    """Send all that a job says to a file and let a crash leave its traceback there.

    The first line says where the job runs. What libraries write by themselves goes into the file,
    too, from now on: TensorFlow writes below Python, as soon as it is imported. The terminal gets a
    single line on failure: the message of an `InputError`, or the kind of the exception, and where
    to read on. The stack of an `InputError` is in a file of its own, beside the log.

    Parameters
    ----------
    path : path of the rule's log file

    Returns
    -------
    logging.Logger
        For the job's own lines.
    """
    # A log on a full disk cannot tell of it; the terminal gets the reason once.
    logging.raiseExceptions = False
    logger = logging.getLogger("damascene")
    terminal = _divert_streams(path)

    def report_crash(kind, error, trace):
        stack = "".join(traceback.format_exception(kind, error, trace))
        if issubclass(kind, InputError):
            # The engine shows the log of a failed job: what the user has to know, and no stack.
            with contextlib.suppress(OSError):
                Path(f"{path}.stack").write_text(stack, encoding="utf-8")
                logger.info("where in the code: %s.stack", path)
            stack = f"{INPUT_ERROR}{error}"
        logger.error(stack)
        what = str(error) if issubclass(kind, InputError) else f"{kind.__name__}: {error}"
        if getattr(error, "errno", None) in NO_ROOM:
            what = f"{what}. {MAKE_ROOM}"
        print(f"{erasing(terminal)}{what}\n(details: {path})", file=terminal, flush=True)

    sys.excepthook = report_crash
    logging.basicConfig(
        filename=path,
        filemode="a",
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    logging.captureWarnings(True)
    logger.info(describe_place(os.environ, host=platform.node()))
    return logger


def _divert_streams(path):
    """Send both streams of this process into an empty file; return what was the error stream."""
    terminal = os.fdopen(os.dup(2), "w")
    # Each writer appends, so that none overwrites what another wrote.
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o666)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.close(file)
    return terminal


def erasing(stream: TextIO) -> str:
    """Return what clears the line of a stream's cursor: nothing unless it is a capable terminal."""
    capable = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return "\r\x1b[K" if capable else ""


def describe_place(environment: Mapping[str, str], *, host: str) -> str:
    """Say where a job runs: on which machine, under which SLURM job, on which GPUs, how wide.

    Parameters
    ----------
    environment : environment variables of the job
    host : name of the machine

    Returns
    -------
    str
        One line; what the environment does not tell is left out.
    """
    parts = [f"host {host}"]
    if "SLURM_JOB_ID" in environment:
        node = environment.get("SLURMD_NODENAME", "unknown")
        parts.append(f"SLURM job {environment['SLURM_JOB_ID']} on node {node}")
    if "CUDA_VISIBLE_DEVICES" in environment:
        parts.append(f"CUDA_VISIBLE_DEVICES {environment['CUDA_VISIBLE_DEVICES'] or 'empty'}")
    # The workflow engine sets it for every job to the threads that the job was granted.
    if "OMP_NUM_THREADS" in environment:
        parts.append(f"threads {environment['OMP_NUM_THREADS']}")
    return ", ".join(parts)
