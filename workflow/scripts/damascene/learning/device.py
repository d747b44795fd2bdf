"""The processor on which a network is trained or applied."""

import logging
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

logger = logging.getLogger(__name__)

# More do not make a processor faster, and fewer leave a GPU waiting for the next batch.
_SITES_AT_ONCE = {"CPU": 64, "GPU": 256}
#: Jobs that share a panorama begin at multiples of it: whole batches on either device.
SHARED_SITES = 256


def choose_device(*, gpu: int, threads: int, blocks_at_once: int = 1) -> str:
    """Pick the processor for this process, before the first network is built.

    Parameters
    ----------
    gpu : int
        GPUs granted to the job; with 0 those of the machine are hidden.
    threads : int
        Threads granted to the job. Sums are split by threads, so that another number may change
        the last digits of a result.
    blocks_at_once : int, optional
        Blocks of a panorama that are worked on side by side, see `image_answers.answer_blocks`;
        they share the threads. With a thread each no sum is split, and the result does not depend
        on their number.

    Returns
    -------
    str
        `GPU` or `CPU`.
    """
    tf.config.threading.set_intra_op_parallelism_threads(max(threads // blocks_at_once, 1))
    tf.config.threading.set_inter_op_parallelism_threads(blocks_at_once)
    seen = tf.config.list_physical_devices("GPU")
    logger.info(
        "GPUs granted: %d; devices seen: CPU%s", gpu, "".join(f", {each.name}" for each in seen)
    )
    if gpu and not seen:
        logger.warning(
            "A GPU was granted, but TensorFlow sees none: running on the CPU. Check the driver, "
            "and that the installed TensorFlow was built for it (pip install tensorflow[and-cuda])."
        )
    tf.config.set_visible_devices(seen[:gpu], "GPU")
    # Factors of sums stay in single precision: rounded to 10 bits they would change some classes.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    for each in seen[:gpu]:
        # Take memory as needed: other jobs may share the device.
        tf.config.experimental.set_memory_growth(each, True)
    return device_in_use()


def device_in_use() -> str:
    """Return `GPU` or `CPU`, as `choose_device` picked it."""
    return "GPU" if tf.config.get_visible_devices("GPU") else "CPU"


def sites_at_once() -> int:
    """Return how many sites pass through a network that is applied at the same time."""
    return _SITES_AT_ONCE[device_in_use()]
