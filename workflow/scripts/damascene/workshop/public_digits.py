"""Public sets of small pictures: digits, clothes and objects, known by their checksums."""

import contextlib
import gzip
import hashlib
import io
import pickle
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import skimage.color
import sklearn.datasets

from damascene import InputError
from damascene.workshop.picture_files import REGISTRY, named_file

_NUMERALS = tuple("0123456789")
CLASSES = {
    "digits": _NUMERALS,
    "mnist": _NUMERALS,
    "fashion_mnist": (
        *("T-shirt", "trousers", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    ),
    "cifar10": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}
# Of the digits of scikit-learn, which stand writer by writer: the last third is mostly by others.
_DIGITS_TO_LEARN = 1198
_CIFAR_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_IDX_BYTES = 8


class NoPicturesError(InputError):
    """Pictures that cannot be had; its text says why, and where to put files by hand.

    Attributes
    ----------
    reason : str
        Why, without what to do.
    files_there : bool
        Whether the folder holds files of the names of this set.
    """

    def __init__(self, reason: str, *, ways: str, files_there: bool = False):
        super().__init__(
            f"{reason} Put {ways} into a folder and name it in 'workshop: digits_folder'; or set "
            "'workshop: digits: digits', which need no file."
        )
        self.reason = reason
        self.files_there = files_there


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A set of small pictures that is divided into those to learn from and those to test on.

    Attributes
    ----------
    name : str
        Key of `CLASSES`.
    train, test : numpy.ndarray, uint8, shape (n, edge, edge)
        Grey values.
    train_labels, test_labels : numpy.ndarray, int64, shape (n,)
        Places of their classes in `CLASSES`.
    """

    name: str
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return CLASSES[self.name]


def load_pictures(
    name: str, *, folder: str | Path = "", fetch: bool = True, registry: Path = REGISTRY
) -> Pictures:
    """Return a public set of pictures.

    Parameters
    ----------
    name : str
        `digits` (scikit-learn, always there), `mnist`, `fashion_mnist` or `cifar10`.
    folder : path, optional
        Where its files lie; empty asks Keras, which fetches them once.
    fetch : bool, optional
        Whether they may be fetched.
    registry : pathlib.Path, optional
        Files that are known by their checksum.

    Raises
    ------
    NoPicturesError
        If files are missing, are others, or cannot be fetched: names each, and what to put where.
    """
    if name == "digits":
        return _sklearn_digits()
    if folder:
        return _from_folder(name, Path(folder), pd.read_csv(registry, sep="\t", dtype=str))
    if not fetch:
        ways = how_to_get(name, registry=registry)
        raise NoPicturesError(f"No folder with the files of {name} is named.", ways=ways)
    return _from_keras(name, registry)


def some_pictures(pictures: Pictures, *, train: int, test: int, seed: int) -> Pictures:
    """Return at most so many pictures of each part, drawn at random but in their order."""
    rng = np.random.default_rng(seed)

    def drawn(count, most):
        return np.sort(rng.permutation(count)[:most])

    learn, tested = drawn(len(pictures.train), train), drawn(len(pictures.test), test)
    return Pictures(
        name=pictures.name,
        train=pictures.train[learn],
        train_labels=pictures.train_labels[learn],
        test=pictures.test[tested],
        test_labels=pictures.test_labels[tested],
    )


def how_to_get(name: str, *, registry: Path = REGISTRY) -> str:
    """Return the files of a set, each way with its source: `a.gz, b.gz from https://...`."""
    known = pd.read_csv(registry, sep="\t", dtype=str)
    return _ways(known[known["dataset"] == name])


def framed(images: np.ndarray, *, edge_px: int) -> np.ndarray:
    """Return pictures as networks take them: a frame of black makes them as wide as asked.

    Pictures of less than half this width are enlarged first, by a whole factor.

    Parameters
    ----------
    images : numpy.ndarray, uint8, shape (n, edge, edge)
    edge_px : int

    Returns
    -------
    numpy.ndarray, float32, shape (n, edge_px, edge_px, 1)
        From -1 (black) to 1 (white).

    Raises
    ------
    ValueError
        If the pictures are wider.
    """
    factor = max(edge_px // images.shape[1], 1)
    large = images.repeat(factor, axis=1).repeat(factor, axis=2)
    missing = edge_px - large.shape[1]
    if missing < 0:
        raise ValueError(f"pictures of {images.shape[1]} px do not fit into {edge_px} px")
    before, after = missing // 2, missing - missing // 2
    large = np.pad(large, ((0, 0), (before, after), (before, after)))
    return large[..., None].astype(np.float32) / np.float32(127.5) - np.float32(1)


def read_idx(path: str | Path) -> np.ndarray:
    """Read an array of bytes in the format IDX, compressed by gzip or not.

    Raises
    ------
    InputError
        If the file is damaged or holds something else.

    References
    ----------
    LeCun, Cortes & Burges, The MNIST database of handwritten digits: file formats.
    """
    data = _content(path)
    if len(data) < 4 or data[:3] != bytes([0, 0, _IDX_BYTES]):
        raise InputError(f"{path} is no IDX file of bytes. Take the file from its source again.")
    start = 4 + 4 * data[3]
    shape = np.frombuffer(data[4:start], ">i4")
    if len(data) - start != shape.prod():
        raise InputError(
            f"{path} holds {len(data) - start} values where its header tells {shape.prod()}. Take "
            "the file from its source again."
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _content(path):
    data = Path(path).read_bytes()
    if data[:2] != b"\x1f\x8b":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged ({error}). Take it from its source again.") from error


def _sklearn_digits():
    digits = sklearn.datasets.load_digits()
    # Sixteen levels.
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return _divided("digits", images, digits.target, _DIGITS_TO_LEARN)


def _divided(name, images, labels, count):
    labels = np.asarray(labels, np.int64)
    return Pictures(
        name=name,
        train=images[:count],
        train_labels=labels[:count],
        test=images[count:],
        test_labels=labels[count:],
    )


def _from_folder(name, folder, registry):
    known = registry[registry["dataset"] == name]
    refused = []
    for layout, files in known.groupby("layout", sort=False):
        paths = {row.file: named_file(folder, row.file) for row in files.itertuples()}
        if not any(paths.values()):
            continue
        wrong = [_fault(paths[row.file], row) for row in files.itertuples() if paths[row.file]]
        wrong = [fault for fault in wrong if fault]
        missing = [file for file, path in paths.items() if not path]
        if not wrong and not missing:
            return _READERS[layout](name, files.assign(path=files["file"].map(paths)))
        if missing:
            wrong.append(
                f"{folder} does not hold the files of {name}: without {', '.join(missing)}."
            )
        refused += wrong
    reason = " ".join(refused) or f"{folder} does not hold the files of {name}."
    raise NoPicturesError(reason, ways=_ways(known), files_there=bool(refused))


def _fault(path, row):
    """Return what is wrong with a file, or nothing."""
    try:
        # What was unpacked by hand is known by its content alone.
        data = _content(path) if row.of == "content" else path.read_bytes()
    except InputError as error:
        return str(error)
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})."
    found = hashlib.new(row.algorithm, data, usedforsecurity=False).hexdigest()
    return "" if found == row.checksum else f"{path} is another file than that of {row.dataset}."


def _ways(known):
    return "; or ".join(
        f"{', '.join(files['file'])} from {files['source'].iloc[0]}"
        for _, files in known.groupby("layout", sort=False)
    )


def _read_npz(name, files):
    with np.load(files["path"].iloc[0], allow_pickle=False) as arrays:
        return Pictures(
            name=name,
            train=arrays["x_train"],
            train_labels=arrays["y_train"].astype(np.int64),
            test=arrays["x_test"],
            test_labels=arrays["y_test"].astype(np.int64),
        )


def _read_idx_files(name, files):
    parts = {row.part: read_idx(row.path) for row in files.itertuples()}
    for part in ("train_labels", "test_labels"):
        parts[part] = parts[part].astype(np.int64)
    return Pictures(name=name, **parts)


def _read_tar(name, files):
    images, labels = [], []
    with tarfile.open(files["path"].iloc[0]) as archive:
        for batch in (*_CIFAR_BATCHES, "test_batch"):
            data = archive.extractfile(f"cifar-10-batches-py/{batch}").read()
            # A pickle may run any code; the checksum has shown that it is the published one.
            held = pickle.loads(data, encoding="bytes")
            images.append(np.moveaxis(held[b"data"].reshape(-1, 3, 32, 32), 1, 3))
            labels += list(held[b"labels"])
    count = sum(map(len, images[:-1]))
    return _divided(name, _grey(np.concatenate(images)), labels, count)


_READERS = {"npz": _read_npz, "idx": _read_idx_files, "tar": _read_tar}


def _grey(colours):
    """Return the luminance of colours, batch by batch, as floats need four times the memory."""
    parts = np.array_split(colours, max(len(colours) // 5000, 1))
    greys = [np.rint(skimage.color.rgb2gray(part) * 255).astype(np.uint8) for part in parts]
    return np.concatenate(greys)


def _from_keras(name, registry):
    import keras

    try:
        # It tells how far it is, which is no part of a page.
        with contextlib.redirect_stdout(io.StringIO()):
            train, test = getattr(keras.datasets, name).load_data()
    # Keras raises bare exceptions where the network fails in one of its many ways.
    except Exception as error:
        ways = how_to_get(name, registry=registry)
        # One line, whatever the network said.
        told = " ".join(str(error).split())
        raise NoPicturesError(f"{name} could not be fetched ({told}).", ways=ways) from error
    images = np.concatenate([train[0], test[0]])
    labels = np.concatenate([train[1], test[1]]).ravel()
    return _divided(name, _grey(images) if images.ndim == 4 else images, labels, len(train[0]))
