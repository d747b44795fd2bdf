"""Convolution by hand: values worked out on paper, and other libraries as oracles."""

from fractions import Fraction

import keras
import numpy as np
import pytest
from scipy import ndimage, signal
from skimage.measure import block_reduce

from damascene import InputError
from damascene.workshop import activations
from damascene.workshop.convolution import (
    busiest_window,
    convolve,
    correlate,
    max_pool,
    mean_answer,
    noise_factor,
    output_size,
    positions,
    written_kernel,
    written_sum,
)
from damascene.workshop.convolution_examples import (
    COLOUR_BIAS,
    COLOUR_CORNER,
    COLOUR_KERNEL,
    CROSS,
    CURVE,
    CURVE_ELSEWHERE,
    CURVE_THERE,
    DETECTORS,
    DIGITS,
    KERNELS,
    SMALL_IMAGE,
    TO_POOL,
)

NINTH = Fraction(1, 9)
# Ninths, from hand: three rows of three signs each.
LOOPY_NINE = [[-1, 9, -1], [-5, 1, -3], [-3, 3, -3], [-5, -1, -5], [-3, -5, -3]]
VERTICAL_NINE = [[5, -5, 5], [5, -5, 7], [3, -3, 7], [1, 1, 5], [3, 1, 3]]
DIAGONAL_NINE = [[1, -5, 1], [1, -1, -1], [3, -3, -1], [1, 1, 5], [-1, 9, -1]]
LOOPY_SHIFTED = [[9, -1, -1], [1, -3, -1], [3, -3, -1], [-1, -5, -3], [-5, -3, -5]]


@pytest.fixture
def noise():
    return np.random.default_rng(5).normal(size=(13, 17))


def ninths(answers):
    return [[Fraction(value).limit_denominator(1000) / NINTH for value in row] for row in answers]


def test_the_small_image_gives_its_feature_map_place_by_place():
    assert correlate(SMALL_IMAGE, CROSS).tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    places = list(positions(SMALL_IMAGE, CROSS))
    assert [place.value for place in places] == [4, 3, 4, 2, 4, 3, 2, 3, 4]
    assert (places[5].row, places[5].column) == (1, 2)
    assert places[1].window.tolist() == [[1, 1, 0], [1, 1, 1], [0, 1, 1]]
    assert written_sum(places[1]) == "1·1 + 1·1 + 1·1 = 3"


def test_a_written_sum_names_weights_below_zero_and_nothing_but_zeros():
    (place,) = positions(np.array([[2, 3]]), np.array([[-4, 1]]))
    assert written_sum(place) == "2·(-4) + 3·1 = -5"
    (place,) = positions(np.zeros((1, 1)), np.ones((1, 1)))
    assert written_sum(place) == "0 = 0"


def test_a_kernel_is_written_row_by_row_if_it_is_small():
    assert written_kernel(KERNELS["Gaussian blur"][:2]) == "0.0625 0.125 0.0625; 0.125 0.25 0.125"
    assert written_kernel(np.ones((3, 7))) == "3 × 7 weights"


def test_the_operator_is_the_correlation_of_scipy_and_flipped_its_convolution(noise):
    kernel = np.random.default_rng(6).normal(size=(3, 5))
    expected = signal.correlate2d(noise, kernel, mode="valid")
    np.testing.assert_allclose(correlate(noise, kernel), expected, atol=1e-12)
    expected = signal.convolve2d(noise, kernel, mode="valid")
    np.testing.assert_allclose(convolve(noise, kernel), expected, atol=1e-12)
    square = kernel[:, 1:4]
    expected = ndimage.convolve(noise, square, mode="constant")
    np.testing.assert_allclose(convolve(noise, square, padding=1), expected, atol=1e-12)
    # The cross is its own mirror image, the diagonal edge kernel of the page, too; this one is not.
    assert not np.allclose(correlate(noise, square), convolve(noise, square))


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", [0, 2])
def test_a_keras_layer_gives_the_same_feature_map(noise, stride, padding):
    image = np.stack([noise, noise[::-1], noise[:, ::-1]], axis=-1)
    kernel = np.random.default_rng(7).normal(size=(3, 3, 3))
    ours = correlate(image, kernel, bias=0.5, stride=stride, padding=padding)
    layer = keras.layers.Conv2D(1, 3, strides=stride)
    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))[None]
    layer.build(padded.shape)
    layer.set_weights([kernel[..., None], np.array([0.5])])
    np.testing.assert_allclose(ours, np.asarray(layer(padded))[0, :, :, 0], atol=1e-5)


def test_curve_detector_answers_on_its_curve_alone():
    assert correlate(CURVE_THERE, CURVE).tolist() == [[6600]]
    assert correlate(CURVE_ELSEWHERE, CURVE).tolist() == [[0]]
    assert np.count_nonzero(CURVE) == 6


def test_channels_and_bias_add_up():
    each = [
        correlate(COLOUR_CORNER[..., band], COLOUR_KERNEL[..., band], padding=1)[0, 0]
        for band in range(3)
    ]
    assert each == [308, -498, 164]
    answers = correlate(COLOUR_CORNER, COLOUR_KERNEL, bias=COLOUR_BIAS, padding=1)
    assert answers.shape == (5, 5) and answers[0, 0] == -25


@pytest.mark.parametrize(
    ("size", "kernel", "padding", "stride", "expected"),
    [(7, 3, 0, 1, 5), (7, 3, 0, 2, 3), (7, 3, 1, 1, 7), (7, 3, 0, 3, 2), (5, 3, 0, 1, 3)],
)
def test_sizes_of_feature_maps(size, kernel, padding, stride, expected):
    options = {"padding": padding, "stride": stride}
    assert output_size(size, kernel, **options) == expected
    answer = correlate(np.ones((size, size)), np.ones((kernel, kernel)), **options)
    assert answer.shape == (expected, expected)


def test_a_kernel_larger_than_its_image_is_refused():
    with pytest.raises(InputError, match="kernel of 9 pixels does not fit into an image of 7"):
        correlate(np.ones((7, 9)), np.ones((9, 3)))
    with pytest.raises(ValueError, match="3 channels of weights for 1"):
        correlate(np.ones((7, 9)), COLOUR_KERNEL)


def test_detectors_answer_to_the_nine_in_exact_ninths():
    nine = DIGITS["9"]
    for name, expected in (
        ("loopy", LOOPY_NINE),
        ("vertical", VERTICAL_NINE),
        ("diagonal", DIAGONAL_NINE),
    ):
        assert ninths(mean_answer(nine, DETECTORS[name])) == expected, name
    assert ninths(mean_answer(DIGITS["9, shifted"], DETECTORS["loopy"])) == LOOPY_SHIFTED


def test_relu_and_pooling_of_the_nine():
    kept = activations.relu(mean_answer(DIGITS["9"], DETECTORS["loopy"]))
    assert ninths(kept) == [[0, 9, 0], [0, 1, 0], [0, 3, 0], [0, 0, 0], [0, 0, 0]]
    pooled = max_pool(kept, size=2, stride=1)
    assert ninths(pooled) == [[9, 9], [3, 3], [3, 3], [0, 0]]
    kept = activations.relu(mean_answer(DIGITS["9, shifted"], DETECTORS["loopy"]))
    assert ninths(kept) == [[9, 0, 0], [1, 0, 0], [3, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert ninths(max_pool(kept, size=2, stride=1)) == [[9, 0], [3, 0], [3, 0], [0, 0]]


def test_loops_of_six_and_eight_are_found_where_they_are():
    loops = {
        name: np.argwhere(mean_answer(pixels, DETECTORS["loopy"]) == 1).tolist()
        for name, pixels in DIGITS.items()
    }
    assert loops == {"9": [[0, 1]], "9, shifted": [[0, 0]], "6": [[4, 1]], "8": [[1, 1], [3, 1]]}


def test_pooling_keeps_the_largest(noise):
    assert max_pool(TO_POOL).tolist() == [[8, 9], [3, 2]]
    np.testing.assert_array_equal(
        max_pool(noise[:12, :15], size=3, stride=3), block_reduce(noise[:12, :15], (3, 3), np.max)
    )
    layer = keras.layers.MaxPooling2D(2, strides=1)
    np.testing.assert_allclose(
        max_pool(noise, size=2, stride=1), np.asarray(layer(noise[None, ..., None]))[0, ..., 0]
    )


@pytest.mark.parametrize(
    ("ours", "oracle"),
    [
        (activations.relu, keras.ops.relu),
        (activations.sigmoid, keras.ops.sigmoid),
        (activations.tanh, keras.ops.tanh),
        (activations.leaky_relu, lambda x: keras.ops.leaky_relu(x, negative_slope=0.1)),
        (activations.elu, keras.ops.elu),
    ],
)
def test_activations_are_those_of_keras(ours, oracle):
    x = np.array([-800.0, -4, -1, -0.1, 0, 0.1, 1, 4, 80])
    np.testing.assert_allclose(ours(x), np.asarray(oracle(x)), rtol=1e-6, atol=1e-7)


def test_maxout_is_the_largest_of_its_lines():
    x = np.array([[2.0, 1.0], [-3.0, 0.0]])
    weights, biases = np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([0.0, 1.0])
    # Lines: 2 and -2 + 2 + 1 = 1; -3 and 3 + 1 = 4.
    assert activations.maxout(x, weights=weights, biases=biases).tolist() == [2, 4]


def test_weights_of_kernels_tell_what_they_keep():
    sums = {name: kernel.sum() for name, kernel in KERNELS.items()}
    assert sums == pytest.approx(
        {
            "identity": 1,
            "diagonal edges": 0,
            "Laplacian": 0,
            "sharpen": 1,
            "box blur": 1,
            "Gaussian blur": 1,
        }
    )
    # An image and its Laplacian taken off it.
    np.testing.assert_array_equal(KERNELS["sharpen"], KERNELS["identity"] - KERNELS["Laplacian"])


def test_a_blur_lowers_noise_by_its_factor():
    noise = np.random.default_rng(8).normal(size=(400, 400))
    assert noise_factor(KERNELS["box blur"]) == pytest.approx(1 / 3)
    assert noise_factor(KERNELS["Gaussian blur"]) == pytest.approx(0.375)
    for kernel in KERNELS.values():
        assert correlate(noise, kernel).std() == pytest.approx(noise_factor(kernel), rel=0.02)


def test_the_busiest_window_is_where_greys_scatter():
    image = np.full((200, 300), 90, np.uint8)
    image[110:140, 210:215] = 255
    rows, columns = busiest_window(image, edge_px=60)
    assert image[rows, columns].shape == (60, 60)
    assert (image[rows, columns] == 255).sum() == 150
    rows, columns = busiest_window(image[:20, :30], edge_px=60)
    assert image[rows, columns].shape == (20, 20)
