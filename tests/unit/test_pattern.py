"""Networks written as a pattern."""

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damascene import InputError
from damascene.networks import network_named
from damascene.networks.build import build_network
from damascene.networks.pattern import Step, layers_for, parse_pattern, weight_count


@settings(max_examples=50, deadline=None)
@given(n=st.integers(1, 4), m=st.integers(1, 4), k=st.integers(1, 3))
def test_groups_are_repeated(n, m, k):
    text = f"INPUT -> [[CONV -> RELU]*{n} -> POOL?]*{m} -> [FC -> RELU]*{k} -> FC"
    expected = []
    for _ in range(m):
        for _ in range(n):
            expected += ["CONV", "RELU"]
        expected.append("POOL")
    expected += ["FC", "RELU"] * k + ["FC"]
    steps = parse_pattern(text)
    assert [step.kind for step in steps] == expected
    assert all(step.optional == (step.kind == "POOL") for step in steps)


def test_numbers_of_layers():
    steps = parse_pattern("INPUT->CONV5-32->POOL3?->CONV-7 -> FC-64 -> NORM -> FC")
    assert steps == [
        Step("CONV", kernel=5, size=32),
        Step("POOL", kernel=3, optional=True),
        Step("CONV", size=7),
        Step("FC", size=64),
        Step("NORM"),
        Step("FC"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("INPUT -> [CONV -> RELU -> FC", ["'['", "character 10", "no ']'"]),
        ("INPUT -> CONV] -> FC", ["no '[' for this ']'"]),
        ("CONV -> FC", ["no network", "INPUT ->"]),
        ("INPUT -> CONV -> RELU", ["last layer must be FC"]),
        ("INPUT -> FC -> POOL -> FC", ["POOL cannot follow FC"]),
        ("INPUT -> CONVO -> FC", ["'CONVO'", "layers are CONV, POOL, FC"]),
        ("INPUT -> [CONV]*0 -> FC", ["'*0'", "repeat 1 to"]),
        ("INPUT -> [[CONV]*400]*400 -> FC", ["more than 500"]),
        ("INPUT -> CONV0 -> FC", ["numbers must be 1 or more"]),
        ("INPUT CONV -> FC", ["'CONV'", "'->' must stand between"]),
        ("INPUT -> CONV -> ", ["a layer is missing at the end"]),
        ("INPUT -> CONV ; FC", ["at ';'", "not understood"]),
        ("INPUT -> INPUT -> FC", ["INPUT comes once"]),
        ("INPUT -> [CONV]*N -> FC", ["'*N'", "whole number"]),
        ("INPUT -> CONV3-99999 -> FC", ["'CONV3-99999'", "layers are"]),
        ("INPUT -> " + "[" * 3000 + "CONV" + "]" * 3000 + " -> FC", ["more than 20 brackets"]),
    ],
)
def test_slips_are_told_with_their_place(text, words):
    with pytest.raises(InputError) as error:
        network_named(text)
    assert all(word in str(error.value) for word in [text, *words])


def test_a_pattern_builds_the_network_it_says():
    text = "INPUT -> [[CONV3-8 -> RELU]*2 -> POOL]*2 -> FC-20 -> RELU -> FC"
    model = build_network(text, class_count=3, seed=0, input_px=16)
    kinds = [type(layer).__name__ for layer in model.layers[1:]]
    block = ["Conv2D", "Activation"] * 2 + ["MaxPooling2D"]
    assert kinds == [*block, *block, "Flatten", "Dense", "Activation", "Dense"]
    # By hand: 3 x 3 kernels over 1 and 8 channels, then 4 x 4 x 8 values to 20 units to 3 classes.
    convolutions = (9 * 1 * 8 + 8) + 3 * (9 * 8 * 8 + 8)
    assert model.count_params() == convolutions + (128 * 20 + 20) + (20 * 3 + 3)
    clips = np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(model(clips).numpy().sum(axis=1), 1, atol=1e-6)


def test_optional_pooling_stops_before_the_map_is_too_small():
    model = build_network("INPUT -> [CONV -> POOL?]*6 -> FC", class_count=2, seed=0, input_px=64)
    pooled = [each for each in model.layers if isinstance(each, keras.layers.MaxPooling2D)]
    # 64 -> 32 -> 16 -> 8
    assert len(pooled) == 3
    with pytest.raises(InputError, match=r"pools clips of 16 pixels to less than one.*POOL\?"):
        build_network("INPUT -> [CONV -> POOL]*6 -> FC", class_count=2, seed=0, input_px=16)


@pytest.mark.parametrize(
    "text",
    [
        "INPUT -> FC",
        "INPUT -> CONV3-28 -> POOL -> FC-128 -> RELU -> DROPOUT -> FC",
        "INPUT -> [[CONV -> NORM -> RELU]*2 -> POOL?]*6 -> [FC -> TANH]*2 -> NORM -> FC",
        "INPUT -> CONV5-6 -> ELU -> POOL3 -> CONV -> POOL -> FC-7 -> FC-9 -> FC",
    ],
)
def test_weights_are_counted_without_building(text):
    built = build_network(text, class_count=7, seed=0, input_px=33)
    assert weight_count(text, input_px=33, class_count=7) == built.count_params()


def test_numbers_that_a_pattern_leaves_out():
    *layers, last = layers_for("INPUT -> [CONV -> POOL]*6 -> CONV -> FC -> FC", input_px=64)
    filters = [step.size for step in layers if step.kind == "CONV"]
    assert filters == [16, 32, 64, 128, 256, 256, 256]
    assert {step.kernel for step in layers if step.kind == "CONV"} == {3}
    assert {step.kernel for step in layers if step.kind == "POOL"} == {2}
    assert layers[-1].size == 128 and last.size is None
