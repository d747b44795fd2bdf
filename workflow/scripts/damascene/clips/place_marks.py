"""Marks of places: by them a label knows again the image that it was given to."""

import base64
import binascii

from damascene.clips.fingerprints import MARK_BYTES, fingerprint, is_shown, is_telling
from damascene.clips.windows import clip_window
from damascene.images.store import TiledImage

# How marks begin. Without it, a spreadsheet would take those that begin with a plus for formulas.
_KIND = "m1_"
# Edge of the window round a place that is known again.
_WINDOW_PX = 256
# How far it may have moved, as when frames are stitched anew.
_MOVED_PX = 64


def mark_of_place(image: TiledImage, x_px: float, y_px: float) -> str:
    """Return the fingerprint of the pixels round a place; empty where nothing tells them.

    Parameters
    ----------
    image : TiledImage
        The panorama as it was imported: denoised pixels would be others.
    x_px, y_px : float
    """
    text = fingerprint(_pixels(image, x_px, y_px, _WINDOW_PX))
    return _KIND + text if is_telling(text) else ""


def is_same_place(image: TiledImage, x_px: float, y_px: float, *, mark: str) -> bool:
    """Say whether an image shows at a place what was there when the mark was made.

    Grey values may have been changed by any rising curve, and the place may lie up to 64 px off.

    Parameters
    ----------
    image, x_px, y_px
        As for `mark_of_place`.
    mark : str
        From `mark_of_place`; an empty one says nothing, and nothing speaks against it.
    """
    shown = _pixels(image, x_px, y_px, _WINDOW_PX + 2 * _MOVED_PX)
    return not mark or is_shown(mark.removeprefix(_KIND), shown)


def begins_as_mark(text: str) -> bool:
    """Say whether a text begins as marks do, and is meant to be one, whole or not."""
    return text.startswith(_KIND)


def is_mark(text: str) -> bool:
    """Say whether a text is a mark that `mark_of_place` made, whole enough to be sought."""
    if not begins_as_mark(text):
        return False
    text = text.removeprefix(_KIND)
    try:
        whole = len(base64.b64decode(text, validate=True)) % MARK_BYTES == 0
    except (binascii.Error, ValueError):
        return False
    return whole and is_telling(text)


def _pixels(image, x_px, y_px, edge_px):
    edge_px = min(edge_px, *image.shape)
    return image.read(clip_window(x_px, y_px, window_px=edge_px, shape=image.shape))
