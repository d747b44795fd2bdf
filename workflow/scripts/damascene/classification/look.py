"""What networks see of sites: a site is cut and convolved once, whichever stages ask.

A frozen network is a body, the convolutions with their pooled maps, and a head, the layers that
learned. Stages whose bodies are the same and look at the same window share one look at a site.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from damascene.clips.network_input import scale_grey
from damascene.contracts.model_card import ModelCard
from damascene.networks import network_named
from damascene.networks.last_layer import FEATURES

# What a card says of the picture of a site that its network is given.
_VIEW = ("network", "window", "centre", "input_px", "scales", "grey_scaling", "average_flips")


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """What one or more networks are shown of a site, and how each of them answers.

    Attributes
    ----------
    card : ModelCard
        Of the first of them; window, centre, size and scaling are those of all.
    body : keras.Model or None
        From pictures to features; None where each network takes the pictures itself.
    heads : dict of str to keras.Model
        By stage: from features, or pictures, to the probability of each class.
    """

    card: ModelCard
    body: keras.Model | None
    heads: dict[str, keras.Model]

    @property
    def descriptors(self) -> bool:
        """Whether one of the networks takes the descriptors of a site."""
        return any(len(head.inputs) > 1 for head in self.heads.values())

    def answers(
        self, clips: np.ndarray, descriptors: np.ndarray | None = None, *, batch_size: int
    ) -> dict[str, np.ndarray]:
        """Return the probability of each class by stage; see `answers_and_features`."""
        return self.answers_and_features(clips, descriptors, batch_size=batch_size)[0]

    def answers_and_features(
        self, clips: np.ndarray, descriptors: np.ndarray | None = None, *, batch_size: int
    ) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
        """Return the probability of each class by stage, float32 (n, classes), and the features.

        Features are those of the clips as they are, float32 (n, features); None without a body.
        Probabilities are means over the clip and its three mirror images where the card says
        `average_flips`.

        Parameters
        ----------
        clips : numpy.ndarray, uint8, shape (n, size, size, scales)
            One batch.
        descriptors : numpy.ndarray, float32, shape (n, descriptors), optional
            Needed where a network takes them.
        batch_size : int
            To which the last batch of a frozen network is filled, see `body_features`.
        """
        count = len(clips)
        if network_named(self.card.network).frozen:
            clips = _filled(clips, batch_size)
            descriptors = None if descriptors is None else _filled(descriptors, batch_size)
        flips = ((1, 1), (1, -1), (-1, 1), (-1, -1)) if self.card.average_flips else ((1, 1),)
        seen = [
            _seen(self.body, clips[:, ::down, ::right], grey_scaling=self.card.grey_scaling)
            for down, right in flips
        ]
        means = {
            stage: np.mean([self._answer(head, each, descriptors) for each in seen], axis=0)
            for stage, head in self.heads.items()
        }
        # Rounding may lift a sure prediction above one.
        answers = {stage: np.clip(mean[:count], 0, 1) for stage, mean in means.items()}
        return answers, None if self.body is None else np.asarray(seen[0])[:count]

    def _answer(self, head, seen, descriptors):
        if len(head.inputs) == 1:
            return head.predict_on_batch(seen)
        if self.body is None:
            return head.predict_on_batch({"grey": seen, "descriptors": descriptors})
        return head.predict_on_batch([seen, descriptors])


def shared_looks(networks: Mapping[str, tuple[keras.Model, ModelCard]]) -> list[Look]:
    """Return the looks that some networks need, as few as there can be.

    Parameters
    ----------
    networks : mapping of stage to (keras.Model, ModelCard)
    """
    looks = []
    for stage, (model, card) in networks.items():
        if not network_named(card.network).frozen:
            looks.append(Look(card=card, body=None, heads={stage: model}))
            continue
        body = frozen_body(model)
        look = next((each for each in looks if _alike(each, card, body)), None)
        if look is None:
            look = Look(card=card, body=body, heads={})
            looks.append(look)
        look.heads[stage] = _head(model)
    return looks


def frozen_body(model: keras.Model) -> keras.Model:
    """Return a frozen network up to the features that its last layer is given."""
    return keras.Model(_input(model, "grey"), model.get_layer(FEATURES).output)


def body_features(
    body: keras.Model, clips: np.ndarray, *, grey_scaling: str, batch_size: int
) -> np.ndarray:
    """Return what frozen convolutions see in clips, float32 (n, features).

    Batches are always full, the last one of black clips: nothing is compiled twice, and the sums
    of a site run in the same order whatever other sites are in its batch.

    Parameters
    ----------
    body : keras.Model
        From `frozen_body`.
    clips : numpy.ndarray, uint8, shape (n, size, size, scales)
        May be memory-mapped.
    grey_scaling : str
        See `network_input.scale_grey`.
    batch_size : int
        Clips in memory at once, see `device.sites_at_once`.
    """
    features = np.empty((len(clips), body.output_shape[1]), np.float32)
    for start in range(0, len(clips), batch_size):
        some = clips[start : start + batch_size]
        seen = _seen(body, _filled(some, batch_size), grey_scaling=grey_scaling)
        features[start : start + batch_size] = seen[: len(some)]
    return features


def _seen(body, clips, *, grey_scaling):
    pictures = scale_grey(clips, grey_scaling=grey_scaling)
    return pictures if body is None else body.predict_on_batch(pictures)


def _filled(rows, count):
    """Return rows with zeros behind them, `count` in all."""
    return np.concatenate([rows, np.zeros((count - len(rows), *rows.shape[1:]), rows.dtype)])


def _alike(look, card, body):
    """Return whether a body sees what a look shows: the same pictures, by the same layers."""
    if look.body is None or any(getattr(look.card, name) != getattr(card, name) for name in _VIEW):
        return False
    ours, theirs = look.body.get_weights(), body.get_weights()
    if len(ours) != len(theirs) or not all(map(np.array_equal, ours, theirs)):
        return False
    # Files of two versions may pool the same maps in other ways, which has no weights.
    picture = np.random.default_rng(0).uniform(-1, 1, (1, *body.input_shape[1:]))
    first, second = (np.asarray(each(picture.astype(np.float32))) for each in (look.body, body))
    return np.array_equal(first, second)


def _head(model):
    """Return the layers of a frozen network behind its features."""
    features = model.get_layer(FEATURES).output
    if len(model.inputs) == 1:
        return keras.Model(features, model.output)
    return keras.Model([features, _input(model, "descriptors")], model.output)


def _input(model, name):
    return next(each for each in model.inputs if each.name == name)
