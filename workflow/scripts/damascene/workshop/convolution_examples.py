"""The small worked examples of the page on convolution: images and kernels to follow by hand."""

import numpy as np

#: Five by five pixels, and the kernel that looks for a cross.
SMALL_IMAGE = np.array(
    [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
)
CROSS = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])

#: Kernels by what they do to an image.
KERNELS = {
    "identity": np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "diagonal edges": np.array([[1, 0, -1], [0, 0, 0], [-1, 0, 1]]),
    "Laplacian": np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
    "box blur": np.full((3, 3), 1 / 9),
    "Gaussian blur": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16,
}

#: Detector of one curve; a piece of a picture with that curve, and one with another.
CURVE = np.zeros((7, 7), int)
CURVE[[0, 1, 2, 3, 4, 5], [5, 4, 3, 3, 3, 3]] = 30
CURVE_THERE = np.array(
    [
        [0, 0, 0, 0, 0, 0, 30],
        [0, 0, 0, 0, 50, 50, 50],
        [0, 0, 0, 20, 50, 0, 0],
        [0, 0, 0, 50, 50, 0, 0],
        [0, 0, 0, 50, 50, 0, 0],
        [0, 0, 0, 50, 50, 0, 0],
        [0, 0, 0, 50, 50, 0, 0],
    ]
)
CURVE_ELSEWHERE = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0],
        [0, 40, 0, 0, 0, 0, 0],
        [40, 0, 40, 0, 0, 0, 0],
        [40, 20, 0, 0, 0, 0, 0],
        [0, 50, 0, 0, 0, 0, 0],
        [0, 0, 50, 0, 0, 0, 0],
        [25, 25, 0, 50, 0, 0, 0],
    ]
)

#: Corner of a colour picture without its padding: red, green and blue, shape (5, 5, 3).
COLOUR_CORNER = np.stack(
    [
        [
            [156, 155, 156, 158, 158],
            [153, 154, 157, 159, 159],
            [149, 151, 155, 158, 159],
            [146, 146, 149, 153, 158],
            [145, 143, 143, 148, 158],
        ],
        [
            [167, 166, 167, 169, 169],
            [164, 165, 168, 170, 170],
            [160, 162, 166, 169, 170],
            [156, 156, 159, 163, 168],
            [155, 153, 153, 158, 168],
        ],
        [
            [163, 162, 163, 165, 165],
            [160, 161, 164, 166, 166],
            [156, 158, 162, 165, 166],
            [155, 155, 158, 162, 167],
            [154, 152, 152, 157, 167],
        ],
    ],
    axis=-1,
)
COLOUR_KERNEL = np.stack(
    [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ],
    axis=-1,
)
COLOUR_BIAS = 1


def _drawn(*rows: str) -> np.ndarray:
    """Return pixels of 1 where a character is drawn, and of -1 elsewhere."""
    return np.array([[1 if one == "#" else -1 for one in row] for row in rows])


NINE = _drawn(".###.", ".#.#.", ".###.", "...#.", "...#.", "..#..", ".#...")
#: Digits of 7 x 5 pixels; the shifted nine stands one pixel farther left.
DIGITS = {
    "9": NINE,
    "9, shifted": np.column_stack([NINE[:, 1:], NINE[:, :1]]),
    "6": np.rot90(NINE, 2),
    "8": _drawn(".....", ".###.", ".#.#.", ".###.", ".#.#.", ".###.", "....."),
}
DETECTORS = {
    "loopy": _drawn("###", "#.#", "###"),
    "vertical": _drawn(".#.", ".#.", ".#."),
    "diagonal": _drawn("..#", ".#.", "#.."),
}

#: Values from which the largest of each 2 x 2 are kept.
TO_POOL = np.array([[5, 1, 3, 4], [8, 2, 9, 2], [1, 3, 0, 1], [2, 2, 2, 0]])
