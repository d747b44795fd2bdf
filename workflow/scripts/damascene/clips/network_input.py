"""From clips to the input of a network."""

import numpy as np

from damascene.networks import GREY_SCALINGS


def scale_grey(clips: np.ndarray, *, grey_scaling: str) -> np.ndarray:
    """Turn grey values into the input of a network.

    Parameters
    ----------
    clips : numpy.ndarray, uint8 or float, shape (n, rows, columns[, scales])
        Grey values 0 to 255.
    grey_scaling : {"clip_median", "full_range"}
        `full_range` is x * 2 / 255 - 1, as published. `clip_median` divides by the median of the
        clip (of its first scale), so that black becomes -1 and the median 0 at any brightness
        of the panorama; anything brighter than twice the median becomes 1.

    Returns
    -------
    numpy.ndarray, float32, shape (n, rows, columns, scales), in [-1, 1]
    """
    grey = clips.astype(np.float32)
    if grey.ndim == 3:
        grey = grey[..., np.newaxis]
    if grey_scaling == "full_range":
        reference = np.float32(127.5)
    elif grey_scaling == "clip_median":
        # A window filled by a black hole has no texture to measure against.
        reference = np.maximum(np.median(grey[..., :1], axis=(1, 2), keepdims=True), np.float32(16))
    else:
        raise ValueError(f"grey_scaling {grey_scaling!r} is none of {GREY_SCALINGS}")
    return np.clip(grey / reference - 1, -1, 1).astype(np.float32)


def network_inputs(
    clips: np.ndarray, descriptors: np.ndarray | None = None, *, grey_scaling: str
) -> np.ndarray | dict[str, np.ndarray]:
    """Return the input of a network, from clips and the descriptors of their sites.

    Parameters
    ----------
    clips : numpy.ndarray, uint8 or float, shape (n, size, size[, scales])
    descriptors : numpy.ndarray, float, shape (n, descriptors), optional
        For networks that take them.
    grey_scaling : str
        See `scale_grey`.

    Returns
    -------
    numpy.ndarray, float32, or dict
        The pictures (n, size, size, scales); with descriptors both by their names, `grey` and
        `descriptors` (n, descriptors).
    """
    grey = scale_grey(clips, grey_scaling=grey_scaling)
    if descriptors is None:
        return grey
    return {"grey": grey, "descriptors": np.asarray(descriptors, np.float32)}
