"""Answers of an image network all over a panorama, block by block."""

import os
from collections.abc import Callable, Iterator

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from damascene.images.blocks import BLOCK_PX, mixed_blocks, read_mirrored
from damascene.images.store import TiledImage, Window
from damascene.images.tiles import WHOLE
from damascene.networks.folding import without_normalisation


def answer_blocks(
    model: keras.Model,
    image: TiledImage,
    *,
    prepare: Callable[[np.ndarray], np.ndarray],
    halo_px: int,
    overlap_px: int = 0,
    wanted: Callable[[Window], bool] = lambda block: True,
    threads: int = 1,
    strip: tuple[int, int] = WHOLE,
    block_px: int = BLOCK_PX,
) -> Iterator[np.ndarray]:
    """Answer every pixel of a panorama and yield the answers as strips of full width.

    The network is given one block of the fixed grid of `images.blocks` at a time, with a halo that
    mirrors the panorama at its borders, so that all it is given is of one size. Where the halo
    holds all that an answer depends on, the answers are those of the whole panorama at once;
    where it does not, answers of overlapping blocks are mixed. They depend on neither strips nor
    threads if the device was chosen for so many `blocks_at_once`, see `device.choose_device`.

    Parameters
    ----------
    model : keras.Model
        See `networks.image_networks`.
    image : TiledImage
    prepare : callable
        Takes uint8 (rows, columns), returns what the network is given: float32 (rows, columns) or
        (rows, columns, channels). It must work on each pixel alone.
    halo_px, overlap_px : int
        From `image_networks.margins_of`.
    wanted : callable, optional
        Tells for a block, with what it overlaps, whether it is to be answered; the answers in
        others, which nobody may use, are 0.
    threads : int, optional
        Blocks worked on at the same time.
    strip : (int, int), optional
        Which part of the rows of blocks, see `tiles.strip_slice`.
    block_px : int, optional
        Distance of the cuts; a multiple of the strides of the network.

    Yields
    ------
    numpy.ndarray, float32, shape (up to block_px + overlap_px, width, outputs)
    """
    edge = block_px + 2 * halo_px
    answer = answer_of_size(model, edge)
    outputs = int(model.outputs[0].shape[-1])

    def work(window):
        if not wanted(window):
            return np.zeros((*window.shape, outputs), np.float32)
        top, left = (
            -(-start // block_px) * block_px - halo_px for start in (window.top, window.left)
        )
        read = Window(top=top, left=left, bottom=top + edge, right=left + edge)
        given = np.asarray(prepare(read_mirrored(image, read)), np.float32)
        return answer(given.reshape(edge, edge, -1))[window.slices(origin=read)]

    return mixed_blocks(
        work,
        image.shape,
        channels=outputs,
        block_px=block_px,
        overlap_px=overlap_px,
        threads=threads,
        strip=strip,
    )


def answer_of_size(model: keras.Model, edge: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that answers squares of one size, compiled once for all threads.

    Compiling for the processor (XLA), and weights as constants, were no faster.

    Parameters
    ----------
    model : keras.Model
        See `networks.image_networks`.
    edge : int
        Of the squares, in pixels or whatever the network takes as such.

    Returns
    -------
    callable
        Takes float32 (edge, edge, channels), returns float32 (edge, edge, outputs).
    """
    plain = without_normalisation(model)
    channels = model.inputs[0].shape[-1]
    answer = tf.function(
        lambda images: plain(images, training=False),
        input_signature=[tf.TensorSpec((1, edge, edge, channels), tf.float32)],
    ).get_concrete_function()
    return lambda image: answer(tf.constant(image[np.newaxis])).numpy()[0]
