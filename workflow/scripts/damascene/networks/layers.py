"""The layers of this project's own that a stored network may hold."""

from damascene.networks.random_forest import Forest
from damascene.networks.scores import GaussianScores
from damascene.networks.stage_answers import StageAnswers

#: For `keras.models.load_model`, which knows a class only once it was imported.
CUSTOM_LAYERS = {
    "damascene>Forest": Forest,
    "damascene>GaussianScores": GaussianScores,
    "damascene>StageAnswers": StageAnswers,
}
