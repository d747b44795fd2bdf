"""The log of a job: progress lines while it runs, the reason when it fails."""

import logging
import os
import platform
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path

from damascene import InputError
from damascene.files import MAKE_ROOM, NO_ROOM


def start_log(path: str | Path) -> logging.Logger:
    """Send log lines to a file and let a crash leave its traceback there.

    The first line says where the job runs. The terminal gets a single line on failure: the message
    of an `InputError`, or the kind of the exception and where to read on.

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

    def report_crash(kind, error, trace):
        logger.error("".join(traceback.format_exception(kind, error, trace)))
        what = str(error) if issubclass(kind, InputError) else f"{kind.__name__}: {error}"
        if getattr(error, "errno", None) in NO_ROOM:
            what = f"{what}. {MAKE_ROOM}"
        print(f"{what}\n(details: {path})", file=sys.stderr)

    sys.excepthook = report_crash
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    logging.captureWarnings(True)
    logger.info(describe_place(os.environ, host=platform.node()))
    return logger


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
