"""The log of a job: progress lines while it runs, the reason when it fails."""

import logging
import sys
import traceback
from pathlib import Path

from damascene import InputError


def start_log(path: str | Path) -> logging.Logger:
    """Send log lines to a file and let a crash leave its traceback there.

    The terminal gets a single line on failure: the message of an `InputError`, or the kind of the
    exception and where to read on.

    Parameters
    ----------
    path : path of the rule's log file

    Returns
    -------
    logging.Logger
        For the job's own lines.
    """
    logging.basicConfig(
        filename=path,
        filemode="w",
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
    logging.captureWarnings(True)
    logger = logging.getLogger("damascene")

    def report_crash(kind, error, trace):
        logger.error("".join(traceback.format_exception(kind, error, trace)))
        what = str(error) if issubclass(kind, InputError) else f"{kind.__name__}: {error}"
        print(f"{what}\n(details: {path})", file=sys.stderr)

    sys.excepthook = report_crash
    return logger
