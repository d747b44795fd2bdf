"""Public sets of small pictures: read, known by their checksums, or told where they may be put."""

import gzip
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import sklearn.datasets
from skimage.color import rgb2gray

from damascene import InputError
from damascene.workshop.public_digits import (
    CLASSES,
    REGISTRY,
    framed,
    load_pictures,
    read_idx,
    some_pictures,
)

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


def idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes()


def row(dataset, layout, file, part, content, *, of="content"):
    return {
        "dataset": dataset,
        "layout": layout,
        "file": file,
        "part": part,
        "of": of,
        "algorithm": "sha256",
        "checksum": hashlib.sha256(content).hexdigest(),
        "source": "https://example.org/data",
        "doi": "",
    }


@pytest.fixture
def parts():
    rng = np.random.default_rng(2)
    return {
        "train": rng.integers(0, 256, (12, 28, 28), dtype=np.uint8),
        "train_labels": rng.integers(0, 10, 12, dtype=np.uint8),
        "test": rng.integers(0, 256, (5, 28, 28), dtype=np.uint8),
        "test_labels": rng.integers(0, 10, 5, dtype=np.uint8),
    }


@pytest.fixture
def fashion(tmp_path, parts):
    """Return folder and registry of a small set in four compressed files."""
    folder, rows = tmp_path / "fashion", []
    folder.mkdir()
    for part, array in parts.items():
        (folder / f"{part}.gz").write_bytes(gzip.compress(idx(array)))
        rows.append(row("fashion_mnist", "idx", f"{part}.gz", part, idx(array)))
    registry = tmp_path / "registry.tsv"
    pd.DataFrame(rows).to_csv(registry, sep="\t", index=False)
    return folder, registry


def same(pictures, parts):
    for part, array in parts.items():
        np.testing.assert_array_equal(getattr(pictures, part), array)


def test_idx_files_are_read_compressed_anew_and_unpacked(fashion, parts):
    folder, registry = fashion
    same(load_pictures("fashion_mnist", folder=folder, registry=registry), parts)
    # A distribution packs with other settings, and people unpack.
    (folder / "train.gz").write_bytes(gzip.compress(idx(parts["train"]), 1, mtime=5))
    (folder / "test").write_bytes(idx(parts["test"]))
    (folder / "test.gz").unlink()
    pictures = load_pictures("fashion_mnist", folder=folder, registry=registry)
    same(pictures, parts)
    assert pictures.classes[9] == "ankle boot" and pictures.train_labels.dtype == np.int64


def test_another_file_and_a_missing_one_are_told_with_what_to_do(fashion, parts):
    folder, registry = fashion
    other = parts["test"].copy()
    other[0, 0, 0] += 1
    (folder / "test.gz").write_bytes(gzip.compress(idx(other)))
    with pytest.raises(InputError, match=r"test.gz is another file") as told:
        load_pictures("fashion_mnist", folder=folder, registry=registry)
    assert "https://example.org/data" in str(told.value) and "digits_folder" in str(told.value)
    (folder / "test.gz").unlink()
    with pytest.raises(InputError, match=r"does not hold the files of fashion_mnist.*test.gz"):
        load_pictures("fashion_mnist", folder=folder, registry=registry)
    with pytest.raises(InputError, match=r"No folder .* cifar-10-python.tar.gz"):
        load_pictures("cifar10", fetch=False)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"GIF89a", "no IDX file"),
        (idx(np.zeros((3, 4)))[:-1], "holds 11 values where its header tells 12"),
        (gzip.compress(idx(np.zeros((90, 90))), mtime=0)[:-9], "is damaged"),
        (b"", "no IDX file"),
    ],
    ids=["picture", "cut off", "cut off archive", "empty"],
)
def test_damaged_idx_files_are_told(tmp_path, content, words):
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read_idx(path)


def test_one_file_of_arrays(tmp_path, parts):
    path, names = tmp_path / "mnist.npz", {"train": "x_train", "train_labels": "y_train"}
    names |= {"test": "x_test", "test_labels": "y_test"}
    np.savez(path, **{names[part]: array for part, array in parts.items()})
    registry = tmp_path / "registry.tsv"
    rows = [row("mnist", "npz", "mnist.npz", "", path.read_bytes(), of="file")]
    pd.DataFrame(rows).to_csv(registry, sep="\t", index=False)
    same(load_pictures("mnist", folder=tmp_path, registry=registry), parts)


def test_colours_of_an_archive_become_grey(tmp_path):
    rng = np.random.default_rng(4)
    path, held = tmp_path / "cifar-10-python.tar.gz", []
    with tarfile.open(path, "w:gz") as archive:
        for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
            colours = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
            held.append(colours)
            planes = np.moveaxis(colours, 3, 1).reshape(2, -1)
            data = pickle.dumps({b"data": planes, b"labels": [3, len(held)]})
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    registry = tmp_path / "registry.tsv"
    rows = [row("cifar10", "tar", path.name, "", path.read_bytes(), of="file")]
    pd.DataFrame(rows).to_csv(registry, sep="\t", index=False)
    pictures = load_pictures("cifar10", folder=tmp_path, registry=registry)
    assert pictures.train.shape == (10, 32, 32) and pictures.test_labels.tolist() == [3, 6]
    np.testing.assert_array_equal(pictures.test, np.rint(rgb2gray(held[-1]) * 255))


def test_keras_is_asked_without_a_folder_and_its_failure_says_where_to_put_files(
    monkeypatch, parts, capfd
):
    def load_data():
        print("Downloading data")
        return (parts["train"], parts["train_labels"]), (parts["test"], parts["test_labels"])

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load_data)
    same(load_pictures("mnist"), parts)
    assert not capfd.readouterr().out

    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fail)
    with pytest.raises(InputError, match=r"could not be fetched \(URL fetch failure\).*mnist.npz"):
        load_pictures("mnist")


def test_digits_of_scikit_learn_need_no_file():
    pictures = load_pictures("digits", folder="/nowhere")
    digits = sklearn.datasets.load_digits()
    assert len(pictures.train) + len(pictures.test) == 1797
    np.testing.assert_array_equal(
        np.concatenate([pictures.train_labels, pictures.test_labels]), digits.target
    )
    assert pictures.train.max() == 255 and pictures.train.dtype == np.uint8


def test_some_pictures_are_drawn_with_their_labels():
    whole = load_pictures("digits")
    some = some_pictures(whole, train=300, test=10_000, seed=3)
    assert len(some.train) == 300 and len(some.test) == len(whole.test)
    again = some_pictures(whole, train=300, test=10_000, seed=3)
    np.testing.assert_array_equal(some.train, again.train)
    # Each picture kept its label, and all classes are among them.
    known = {
        image.tobytes(): label for image, label in zip(whole.train, whole.train_labels, strict=True)
    }
    assert [known[image.tobytes()] for image in some.train] == some.train_labels.tolist()
    assert set(some.train_labels) == set(range(10))


def test_a_frame_makes_pictures_as_wide_as_networks_take_them():
    image = np.full((1, 28, 28), 255, np.uint8)
    wide = framed(image, edge_px=32)
    assert wide.shape == (1, 32, 32, 1) and wide.dtype == np.float32
    assert wide[0, 2:30, 2:30].min() == 1 and (wide == -1).sum() == 32**2 - 28**2
    # Eight pixels become 24 before they get their frame.
    assert (framed(image[:, :8, :8], edge_px=28) == 1).sum() == 24**2
    with pytest.raises(ValueError, match="do not fit"):
        framed(image, edge_px=20)


def test_the_registry_names_every_set_and_its_classes():
    table = pd.read_csv(REGISTRY, sep="\t", dtype=str)
    assert set(table["dataset"]) | {"digits"} == set(CLASSES)
    assert all(len(names) == 10 for names in CLASSES.values())
    assert table["checksum"].str.fullmatch("[0-9a-f]{32}|[0-9a-f]{64}").all()
    # Keras knows the files by the same checksums.
    assert table.set_index("file")["checksum"]["mnist.npz"].startswith("731c5ac602752760")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="the package dataset-fashion-mnist is not there")
def test_the_files_of_a_distribution_are_those_of_the_registry():
    pictures = load_pictures("fashion_mnist", folder=DEBIAN)
    assert pictures.train.shape == (60_000, 28, 28) and pictures.test.shape == (10_000, 28, 28)
    assert np.bincount(pictures.test_labels).tolist() == [1000] * 10
