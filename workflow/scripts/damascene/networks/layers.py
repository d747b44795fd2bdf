"""The layers of this project's own that a stored network may hold."""

from damascene.networks.forest import Forest
from damascene.networks.scores import GaussianScores

#: For `keras.models.load_model`, which knows a class only once it was imported.
CUSTOM_LAYERS = {f"damascene>{layer.__name__}": layer for layer in (Forest, GaussianScores)}
