"""What the user gave wrong is told in its own words, without the stack of the engine."""

import contextlib
import traceback
from pathlib import Path

from snakemake.logging import logger

from damascene import InputError
from damascene.config.config_file import check_config_file, refuse_missing_study


@contextlib.contextmanager
def told_alone():
    """End the run on an `InputError` with its message alone; `--verbose` shows where it was."""
    try:
        yield
    except InputError as error:
        logger.debug(traceback.format_exc())
        refuse(str(error))


def refuse(message):
    """End the run with a message."""
    logger.error(message)
    sys.exit(1)


# In a module the other workflow has read the configuration.
if workflow.is_main_process and not workflow.modifier.skip_configfile:
    with told_alone():
        if Path("config/config.yaml").exists():
            check_config_file(Path("config/config.yaml"))
        elif not workflow.overwrite_configfiles:
            refuse_missing_study(Path.cwd())
        for path in map(Path, workflow.overwrite_configfiles):
            # A pipe can be read once, and the engine has.
            if path.is_file():
                check_config_file(path)
