"""Classical classifiers on the same labels and folds: what a network has to beat."""

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from skimage.feature import hog
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.class_weight import compute_sample_weight

from damascene.clips.pictures import cut_clips, images_of_sites, resample
from damascene.clips.windows import window_px
from damascene.descriptors import CLIP_PX, DESCRIPTOR_WINDOW

MAJORITY = "majority"
# Histograms of gradients have a thousand numbers a clip, most of them about the same thing.
_COMPONENTS = 60
# Windows of the histograms as parts of the clip, and the edge they are brought to.
_HOG_PARTS, _HOG_PX = (0.25, 0.5, 1.0), 48


def baseline(name: str, *, seed: int):
    """Return an untrained scikit-learn classifier by its name in `BASELINES`."""
    return _FACTORIES[name](seed)


_FACTORIES = {
    MAJORITY: lambda seed: DummyClassifier(strategy="most_frequent"),
    "nearest_neighbours": lambda seed: KNeighborsClassifier(5, weights="distance"),
    "logistic_regression": lambda seed: LogisticRegression(
        C=0.03, class_weight="balanced", max_iter=2000
    ),
    "linear_svm": lambda seed: LinearSVC(C=0.003, class_weight="balanced", random_state=seed),
    "rbf_svm": lambda seed: SVC(C=3, class_weight="balanced", random_state=seed),
    "mlp": lambda seed: MLPClassifier((48,), alpha=3, max_iter=100, random_state=seed),
    "random_forest": lambda seed: RandomForestClassifier(
        300, min_samples_leaf=2, class_weight="balanced_subsample", random_state=seed
    ),
    "gradient_boosting": lambda seed: HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.06,
        max_leaf_nodes=8,
        l2_regularization=1,
        max_features=0.3,
        class_weight="balanced",
        random_state=seed,
    ),
}
BASELINES = tuple(_FACTORIES)


def gradients_of_sites(
    split: pd.DataFrame, *, panoramas: Sequence[str], images: Sequence[str | Path]
) -> np.ndarray:
    """Return `hog_features` of labelled sites, in windows as their descriptors have.

    Parameters
    ----------
    split : pandas.DataFrame
        `SPLIT`.
    panoramas, images : sequences
        All panoramas and their images, in the same order.
    """
    clips = np.empty((len(split), CLIP_PX, CLIP_PX), np.uint8)
    for rows, image in images_of_sites(split, panoramas=panoramas, paths=images):
        clips[rows] = cut_clips(
            image,
            split.loc[rows, "clip_x_px"],
            split.loc[rows, "clip_y_px"],
            window_px=window_px(DESCRIPTOR_WINDOW, pixel_size_nm=image.pixel_size_nm),
            size_px=CLIP_PX,
        )
    return hog_features(clips)


def hog_features(clips: np.ndarray) -> np.ndarray:
    """Describe clips by histograms of oriented gradients in three windows round the middle.

    Parameters
    ----------
    clips : numpy.ndarray, uint8, shape (n, size, size)

    Returns
    -------
    numpy.ndarray, float32, shape (n, 4, features)
        One row for the clip and one for each of its mirror images.

    References
    ----------
    Dalal & Triggs, Histograms of oriented gradients for human detection, CVPR 2005,
    10.1109/CVPR.2005.177.
    """
    size = clips.shape[1]
    views = []
    for down, right in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        mirrored = clips[:, ::down, ::right]
        windows = []
        for part in _HOG_PARTS:
            edge = round(size * part)
            start = (size - edge) // 2
            window = resample(
                mirrored[:, start : start + edge, start : start + edge], size_px=_HOG_PX
            )
            windows.append(
                [hog(one, pixels_per_cell=(12, 12), cells_per_block=(2, 2)) for one in window]
            )
        views.append(np.concatenate([np.reshape(w, (len(clips), -1)) for w in windows], axis=1))
    return np.stack(views, axis=1).astype(np.float32)


def predict_held_out(
    features: np.ndarray,
    labels: Sequence[str],
    roles: Mapping[int, np.ndarray],
    *,
    name: str,
    seed: int,
) -> tuple[np.ndarray, dict]:
    """Train a baseline for each held-out fold and classify the sites of that fold.

    It trains on the training and the validation sites, since it needs none to decide when to stop.

    Parameters
    ----------
    features : numpy.ndarray, float, shape (n, views, features)
        Views are mirror images that all have the label; their scores are added up.
    labels : sequence of str, length n
        Classes of `SITE_CLASSES`.
    roles : mapping of fold to numpy.ndarray of str, length n
        Of each held-out fold, from `split.fold_roles`.
    name : str
        One of `BASELINES`.
    seed : int

    Returns
    -------
    predicted : numpy.ndarray of str, shape (n,)
        Empty for sites that no fold holds out.
    cost : dict
        parameters: numbers that were learned, see `parameter_count`; training_s: seconds of
        training; both means of the folds; sites_per_s: prediction, without computing features.
    """
    labels = np.asarray(labels, dtype=object)
    predicted = np.full(len(labels), "", dtype=object)
    views = features.shape[1]
    training_s, prediction_s, count, parameters = [], 0.0, 0, []
    for of_fold in roles.values():
        known = np.flatnonzero(np.isin(of_fold, ["train", "validation"]))
        held_out = np.flatnonzero(of_fold == "test")
        started = time.perf_counter()
        inputs, targets = features[known], np.repeat(labels[known], views)
        scaler = _scaler(inputs, seed=seed)
        classifier = baseline(name, seed=seed)
        if isinstance(classifier, HistGradientBoostingClassifier):
            # With leaves of at least 20, as usual, no tree could grow on fewer than 40.
            leaf = min(classifier.min_samples_leaf, max(len(targets) // 10, 1))
            classifier.set_params(min_samples_leaf=leaf)
        inputs = scaler.fit_transform(inputs.reshape(len(targets), -1))
        with warnings.catch_warnings():
            # The number of steps is a limit on purpose: stopping early is the regularisation.
            warnings.simplefilter("ignore", ConvergenceWarning)
            if name == "mlp":
                # The only one that balances by weights of its sites alone.
                weight = compute_sample_weight("balanced", targets)
                classifier.fit(inputs, targets.astype(str), sample_weight=weight)
            else:
                classifier.fit(inputs, targets.astype(str))
        fitted = time.perf_counter()
        parameters.append(parameter_count(classifier))
        if len(held_out):
            flat = scaler.transform(features[held_out].reshape(len(held_out) * views, -1))
            scores = _scores(classifier, flat).reshape(len(held_out), views, -1).mean(axis=1)
            predicted[held_out] = classifier.classes_[scores.argmax(axis=1)]
        training_s.append(fitted - started)
        prediction_s += time.perf_counter() - fitted
        count += len(held_out)
    return predicted, {
        "parameters": float(np.mean(parameters)),
        "training_s": float(np.mean(training_s)),
        "sites_per_s": count / prediction_s if count else np.nan,
    }


def parameter_count(classifier) -> int:
    """Return how many numbers a fitted classifier learned or keeps.

    Coefficients of linear classifiers and perceptrons; support vectors with their weights; all
    training sites of nearest neighbours; feature, threshold and classes of each node of trees.
    """
    if isinstance(classifier, DummyClassifier):
        return 1
    if isinstance(classifier, KNeighborsClassifier):
        return classifier._fit_X.size
    if isinstance(classifier, SVC):
        return classifier.support_vectors_.size + classifier.dual_coef_.size
    if isinstance(classifier, MLPClassifier):
        return sum(each.size for each in (*classifier.coefs_, *classifier.intercepts_))
    if isinstance(classifier, RandomForestClassifier):
        nodes = sum(tree.tree_.node_count for tree in classifier.estimators_)
        return nodes * (2 + len(classifier.classes_))
    if isinstance(classifier, HistGradientBoostingClassifier):
        trees = (tree for one in classifier._predictors for tree in one)
        return 3 * sum(tree.get_n_leaf_nodes() * 2 - 1 for tree in trees)
    return classifier.coef_.size + classifier.intercept_.size


def _scaler(inputs, *, seed):
    few = min(_COMPONENTS, len(inputs) - 1)
    if inputs.shape[2] > 4 * _COMPONENTS and few >= 1:
        return make_pipeline(StandardScaler(), PCA(few, random_state=seed))
    return make_pipeline(StandardScaler())


def _scores(classifier, inputs):
    """Return a score of each class (n, classes); the highest one decides."""
    if not hasattr(classifier, "decision_function"):
        return classifier.predict_proba(inputs)
    scores = classifier.decision_function(inputs)
    # Between two classes there is one score only.
    return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
