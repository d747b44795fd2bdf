"""Denoising of panoramas by a network, block by block."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene import InputError
from damascene.contracts.image_model_card import ImageModelCard
from damascene.images.blocks import BLOCK_PX, mixed_blocks, read_mirrored, to_grey
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import WHOLE
from damascene.learning.image_answers import answer_of_size
from damascene.networks.receptive_field import halo_px, multiple_px
from damascene.networks.unet import build_unet
from damascene.networks.weights import read_network
from damascene.restoration.cells import CELL_PX, LAYOUTS, Layout, put_cells, to_cells
from damascene.restoration.likelihood import (
    GREY_SCALE,
    base_of,
    network_input,
    posterior_mean,
    uncertainty_of,
)

#: Channels of the levels of the network, from cells of 2 pixels to places of 8 pixels.
WIDTHS = (32, 64, 96)
# Batches hold thousands of places, so that few of them tell mean and variance.
_MOMENTUM = 0.9


def build_denoiser(
    *, layout: Layout, noise_channel: bool = False, widths: tuple[int, ...] = WIDTHS
) -> keras.Model:
    """Build a network that denoises the cells of an image; see `cells`.

    Parameters
    ----------
    layout : Layout
    noise_channel : bool, optional
        Whether the network is told the noise, in a channel behind the greys.
    widths : tuple of int, optional

    Returns
    -------
    keras.Model
        Answers the expected greys as `likelihood.RecordedGreyLoss` takes them, and for a blind
        layout their uncertainty.
    """
    model = build_unet(
        channels_in=len(layout.seen) + noise_channel,
        outputs=len(layout.answered) * (2 if layout.blind else 1),
        widths=widths,
        first_stride=1,
        convolutions=2,
        activation=None,
        name="denoiser",
    )
    for each in model.layers:
        if isinstance(each, keras.layers.BatchNormalization):
            each.momentum = _MOMENTUM
    return model


def halo_of(model: keras.Model) -> int:
    """Return the pixels to read around a block so that nothing beyond them matters."""
    # Shifted cells see a pixel farther.
    return CELL_PX * (halo_px(model) + multiple_px(model))


def given_to_network(cells: np.ndarray, layout: Layout, *, noise: float | None) -> np.ndarray:
    """Return what a network sees of cells, float32 (..., channels), with the noise if it is told.

    Parameters
    ----------
    cells : numpy.ndarray, shape (..., 4)
        Recorded greys.
    layout : Layout
    noise : float or None
        In grey levels.
    """
    seen = network_input(cells[..., list(layout.seen)])
    if noise is None:
        return seen
    told = np.full((*seen.shape[:-1], 1), noise / GREY_SCALE, np.float32)
    return np.concatenate([seen, told], axis=-1)


class Denoiser(NamedTuple):
    """A trained network and its card."""

    model: keras.Model
    card: ImageModelCard

    def strips(self, image: TiledImage, **options) -> Iterator[np.ndarray]:
        """Denoise a panorama and yield it as strips; see `denoise_blocks`."""
        return denoise_blocks(self, image, **options)


def read_denoiser(path: str | Path) -> Denoiser:
    """Read a network from `condition_training`, with its card beside it.

    Raises
    ------
    InputError
        If one of both is missing or damaged, or the network does something else.
    """
    path = Path(path)
    card = ImageModelCard.read(path.with_suffix(".json"))
    if card.task != "denoiser":
        raise InputError(f"The network {path} does not denoise: its card says {card.task}.")
    try:
        model = read_network(path)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as a denoising network: {error}. {card.remedy}"
        ) from error
    return Denoiser(model, card)


def denoise_blocks(
    denoiser: Denoiser,
    image: TiledImage,
    *,
    noise: float,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
) -> Iterator[np.ndarray]:
    """Denoise a panorama by a network and yield it as strips of full width.

    The network is given one block of the fixed grid of `images.blocks` at a time, with a halo that
    holds all that an answer depends on; beyond its borders the panorama is mirrored. The result
    depends on neither strips nor threads, if each block is worked on by one thread.

    Parameters
    ----------
    denoiser : Denoiser
    image : TiledImage
    noise : float
        Standard deviation of the noise of this panorama in grey levels.
    threads : int, optional
        Blocks worked on at the same time.
    strip : (int, int), optional
        Which part of the rows of blocks, see `tiles.strip_slice`.

    Yields
    ------
    numpy.ndarray, uint8, shape (up to BLOCK_PX, width)
    """
    options = denoiser.card.network_options
    chosen = LAYOUTS[options["layout"]]
    told = noise if options["noise_channel"] else None
    # As in the training, unless it was told there.
    seen_noise = noise if options["noise_channel"] else options["seen_noise"]
    model = denoiser.model
    halo = halo_of(model)
    edge = BLOCK_PX + 2 * halo + CELL_PX
    answer = answer_of_size(model, edge // CELL_PX - 1)

    def work(window):
        # One size for all; mirrored at the borders, where a hidden pixel meets its image in one
        # that is hidden as well.
        top, left = window.top - halo, window.left - halo
        read = Window(top=top, left=left, bottom=top + edge, right=left + edge)
        clean = _denoised(
            answer,
            read_mirrored(image, read),
            layout=chosen,
            noise=noise,
            seen_noise=seen_noise,
            told=told,
            dark_grey=options["dark_grey"],
        )
        return clean[window.slices(origin=read)]

    strips = mixed_blocks(work, image.shape, overlap_px=0, threads=threads, strip=strip)
    yield from map(to_grey, strips)


def _denoised(answer, pixels, *, layout, noise, seen_noise, told, dark_grey):
    """Denoise the pixels of a block; rows and columns at its rim are not those of the image."""
    greys = pixels.astype(np.float32)
    result = greys.copy()
    rows, columns = (length - CELL_PX for length in greys.shape)
    for down, right in layout.shifts:
        here = (slice(down, down + rows), slice(right, right + columns))
        cells = to_cells(greys[here])
        base = base_of(cells[..., list(layout.seen)], noise=seen_noise)
        said = answer(given_to_network(cells, layout, noise=told))
        pixels_answered = len(layout.answered)
        expected = base + GREY_SCALE * said[..., :pixels_answered]
        if layout.blind:
            expected = posterior_mean(
                cells[..., list(layout.answered)],
                expected=expected,
                uncertainty=uncertainty_of(said[..., pixels_answered:]),
                noise=noise,
                dark_grey=dark_grey,
            )
        put_cells(result[here], expected, layout.answered)
    return result
