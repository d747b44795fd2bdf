"""Where sites lie among those that networks learned from: what frozen convolutions see of them.

Every network has an embedding, also one that learned all its weights: then EfficientNet-Lite0 with
the weights adapted to steel looks at the same window. What it sees does not depend on the labels.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene.classification.look import body_features, frozen_body
from damascene.clips.pictures import cut_pictures
from damascene.clips.windows import window_px
from damascene.contracts.model_card import ModelCard
from damascene.images.store import TiledImage
from damascene.networks import network_named
from damascene.networks.build import build_network

#: The network that looks where those of a study are not frozen.
STAND_IN = "steel_lite0"


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """A frozen network and what it is shown of a site.

    Attributes
    ----------
    body : keras.Model
        From pictures to features.
    window : str
        Edge of the window, such as `5 um`.
    centre : float or None
        See `pictures.cut_pictures`.
    grey_scaling : str
        See `network_input.scale_grey`.
    """

    body: keras.Model
    window: str
    centre: float | None
    grey_scaling: str

    def features(
        self,
        x_px: Sequence[float],
        y_px: Sequence[float],
        image: TiledImage,
        valid: TiledImage | None = None,
        *,
        batch_size: int,
    ) -> np.ndarray:
        """Return what it sees of sites, float32 (n, features).

        Parameters
        ----------
        x_px, y_px : sequences of float
            Columns and rows of the sites.
        image, valid : TiledImage
            The image in which sites are sought, and its mask.
        batch_size : int
            See `look.body_features`.
        """
        pictures = cut_pictures(
            image,
            x_px,
            y_px,
            window_px=window_px(self.window, pixel_size_nm=image.pixel_size_nm),
            centre=self.centre,
            size_px=self.body.input_shape[1],
            valid=valid,
        )
        return body_features(
            self.body, pictures, grey_scaling=self.grey_scaling, batch_size=batch_size
        )


def view_of(model: keras.Model, card: ModelCard) -> View:
    """Return what a frozen network of a study sees."""
    return View(
        body=frozen_body(model),
        window=card.window,
        centre=card.centre,
        grey_scaling=card.grey_scaling,
    )


def stand_in_view(window: str) -> View:
    """Return what the stand-in sees of a window."""
    spec = network_named(STAND_IN)
    model = build_network(STAND_IN, class_count=2, seed=0, input_px=spec.input_px)
    return View(body=frozen_body(model), window=window, centre=None, grey_scaling=spec.grey_scaling)


def embedding_of(network: str) -> str:
    """Return the network whose frozen layers compare the sites of a study."""
    return network if network_named(network).frozen else STAND_IN
