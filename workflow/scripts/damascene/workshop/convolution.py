"""The operators of a convolutional layer, written out: sums, padding, stride and pooling."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from damascene import InputError

_LARGEST_WRITTEN = 5


@dataclass(frozen=True)
class Position:
    """One place of a kernel on an image.

    Attributes
    ----------
    row, column : int
        Of the upper left pixel under the kernel, from 0.
    window : numpy.ndarray
        Pixels under the kernel.
    products : numpy.ndarray
        Pixels times weights.
    value : float
        Sum of the products.
    """

    row: int
    column: int
    window: np.ndarray
    products: np.ndarray
    value: float


def correlate(
    image: np.ndarray,
    kernel: np.ndarray,
    *,
    bias: float = 0,
    padding: int = 0,
    stride: int = 1,
) -> np.ndarray:
    """Slide a kernel over an image and sum the products at each place, as CNN libraries do.

    Parameters
    ----------
    image : numpy.ndarray
        Shape (rows, columns), or (rows, columns, channels).
    kernel : numpy.ndarray
        Weights, with as many axes as the image and as many channels.
    bias : float, optional
        Added to each sum.
    padding : int, optional
        Rows and columns of zeros round the image.
    stride : int, optional
        Pixels from one place to the next.

    Returns
    -------
    numpy.ndarray
        Feature map, shape (rows, columns); integers for integer images, kernels and biases.

    Raises
    ------
    InputError
        If the kernel does not fit into the padded image.
    """
    windows = _windows(image, kernel.shape, padding=padding, stride=stride)
    kernel = kernel if kernel.ndim == 3 else kernel[..., None]
    summed = np.einsum("rcijk,ijk->rc", windows, kernel.astype(np.result_type(kernel, int)))
    return summed + bias


def convolve(image: np.ndarray, kernel: np.ndarray, **options) -> np.ndarray:
    """Slide the kernel turned by 180 degrees: convolution as mathematics defines it.

    Options and result are those of `correlate`; channels are not turned.
    """
    return correlate(image, np.flip(kernel, axis=(0, 1)), **options)


def positions(
    image: np.ndarray, kernel: np.ndarray, *, padding: int = 0, stride: int = 1
) -> Iterator[Position]:
    """Yield each place of a kernel on a grey image, row by row, as `correlate` visits them."""
    windows = _windows(image, kernel.shape, padding=padding, stride=stride)[..., 0]
    for row, column in np.ndindex(windows.shape[:2]):
        window = windows[row, column]
        products = window * kernel
        yield Position(row * stride, column * stride, window, products, products.sum())


def written_sum(position: Position) -> str:
    """Write the sum at one place so that it can be followed by hand; products with 0 left out."""
    pairs = zip(position.window.flat, position.products.flat, strict=True)
    factors = [(pixel, product / pixel) for pixel, product in pairs if product]
    terms = [
        f"{pixel:g}·{weight:g}" if weight >= 0 else f"{pixel:g}·({weight:g})"
        for pixel, weight in factors
    ]
    return f"{' + '.join(terms) or '0'} = {position.value:g}"


def written_kernel(kernel: np.ndarray) -> str:
    """Write a kernel row by row; of a large one only its size."""
    rows, columns = kernel.shape
    if max(rows, columns) > _LARGEST_WRITTEN:
        return f"{rows} × {columns} weights"
    return "; ".join(" ".join(f"{weight:.3g}" for weight in row) for row in kernel)


def output_size(size: int, kernel: int, *, padding: int = 0, stride: int = 1) -> int:
    """Return the edge of a feature map in pixels: floor((size + 2 padding - kernel) / stride) + 1.

    Raises
    ------
    InputError
        If the kernel is larger than the padded image.
    """
    if min(size, kernel, stride) < 1 or padding < 0:
        raise ValueError("sizes and stride are 1 or more, padding 0 or more")
    if kernel > size + 2 * padding:
        raise InputError(
            f"A kernel of {kernel} pixels does not fit into an image of {size} pixels with a "
            f"padding of {padding}. Take a smaller kernel or more padding."
        )
    return (size + 2 * padding - kernel) // stride + 1


def mean_answer(image: np.ndarray, detector: np.ndarray, **options) -> np.ndarray:
    """Return the answer of a detector of -1 and 1 at each place: 1 where all its pixels agree.

    Parameters
    ----------
    image, detector : numpy.ndarray
        Of -1 and 1.
    **options
        Of `correlate`.

    Returns
    -------
    numpy.ndarray, float
        Sum of the products over the number of weights, from -1 to 1.
    """
    return correlate(image, detector, **options) / detector.size


def max_pool(values: np.ndarray, *, size: int = 2, stride: int = 2) -> np.ndarray:
    """Keep the largest value of each window; a rest that fills no window is dropped.

    Parameters
    ----------
    values : numpy.ndarray
        Shape (rows, columns).
    size, stride : int, optional
        Edge of a window, and pixels from one to the next.
    """
    return _windows(values, (size, size), padding=0, stride=stride)[..., 0].max(axis=(2, 3))


def noise_factor(kernel: np.ndarray) -> float:
    """Return by how much a kernel changes the standard deviation of noise without correlation."""
    return float(np.sqrt((np.asarray(kernel, float) ** 2).sum()))


def busiest_window(image: np.ndarray, *, edge_px: int) -> tuple[slice, slice]:
    """Return the square in which grey values scatter most: the place to look at a filter.

    Parameters
    ----------
    image : numpy.ndarray
        Shape (rows, columns).
    edge_px : int
        Edge of the square; images that are smaller give a square as large as they allow.

    Returns
    -------
    (slice, slice)
        Rows and columns, on a grid of half the edge.
    """
    edge_px = min(edge_px, *image.shape)
    step = max(edge_px // 2, 1)
    squares = [
        (slice(row, row + edge_px), slice(column, column + edge_px))
        for row in range(0, image.shape[0] - edge_px + 1, step)
        for column in range(0, image.shape[1] - edge_px + 1, step)
    ]
    return max(squares, key=lambda square: image[square].std())


def _windows(image, shape, *, padding, stride):
    """Return all windows, shape (rows, columns, *kernel, channels)."""
    image = image if image.ndim == 3 else image[..., None]
    channels = shape[2] if len(shape) == 3 else 1
    if channels != image.shape[2]:
        raise ValueError(f"{channels} channels of weights for {image.shape[2]} of the image")
    for size, kernel in zip(image.shape, shape[:2], strict=False):
        output_size(size, kernel, padding=padding, stride=stride)
    image = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(image, shape[:2], axis=(0, 1))[::stride, ::stride]
    return np.moveaxis(windows, 2, -1)
