"""Labelled clips, as the pages of the workshop read them."""

import numpy as np
import pandas as pd

from damascene.contracts.descriptors import DESCRIPTOR_NAMES, DESCRIPTORS
from damascene.contracts.labels import SPLIT
from damascene.contracts.table import write_table
from damascene.workshop.clips import labelled_clips, labelled_descriptors

WITHOUT = {"split": [], "clips": [], "descriptors": []}


def made_files(folder):
    """Write clips whose upper half is brighter the later they come, with labels and descriptors."""
    clips = np.zeros((3, 64, 64, 2), np.uint8)
    clips[:, :32, :, 0] = np.array([51, 102, 255])[:, None, None]
    clips[..., 1] = 7
    np.save(folder / "damage.npy", clips)
    split = pd.DataFrame(
        {
            "panorama": ["a", "a", "b"],
            "x_px": [10.0, 40.0, 10.0],
            "y_px": 5.0,
            "label": ["notch", "inclusion", "notch"],
            "annotator": "me",
            "answers": ["notch", "inclusion", "notch"],
            "site_id": [4, -1, 4],
            "clip_x_px": [10.0, 40.0, 10.0],
            "clip_y_px": 5.0,
            "group": ["a/0/0", "a/0/1", "b/0/0"],
            "fold": [0, 1, 2],
        }
    )
    write_table(split, folder / "split.parquet", SPLIT)
    # In another order than the clips.
    values = pd.DataFrame(
        {name: np.array([2.0, 0.0, 1.0], np.float32) for name in DESCRIPTOR_NAMES}
    )
    measured = pd.DataFrame({"panorama": ["b", "a", "a"], "site_id": [4, 4, -1]}).join(values)
    write_table(measured, folder / "descriptors.parquet", DESCRIPTORS)
    return {
        "split": folder / "split.parquet",
        "clips": folder / "damage.npy",
        "descriptors": folder / "descriptors.parquet",
    }


def test_clips_are_the_windows_in_the_order_of_the_labels(tmp_path):
    files = made_files(tmp_path)
    clips, table = labelled_clips(files, size_px=16)
    assert clips.shape == (3, 16, 16)
    assert clips.dtype == np.float32
    np.testing.assert_allclose(clips[:, :8], np.array([0.2, 0.4, 1])[:, None, None] + clips[:, 8:])
    assert clips[:, 8:].max() == 0
    assert list(table["label"]) == ["notch", "inclusion", "notch"]
    descriptors = labelled_descriptors(files, table)
    assert list(descriptors["log_area"]) == [0, 1, 2]


def test_a_study_without_labels_has_no_clips_and_no_descriptors():
    clips, table = labelled_clips(WITHOUT)
    assert clips.shape == (0, 32, 32)
    assert list(table.columns) == list(SPLIT.columns)
    assert len(labelled_descriptors(WITHOUT, table)) == 0
