"""What the pages of the workshop show."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from damascene.config.section import InputPath, Section
from damascene.units import plain_quantity, split_quantity

_PictureName = Literal["digits", "mnist", "fashion_mnist", "cifar10"]
PICTURE_SETS = get_args(_PictureName)


def _as_we_write(name):
    """Return the key of a set that is written as in papers, such as Fashion-MNIST."""

    def bare(text):
        return str(text).lower().translate(str.maketrans("", "", " -_"))

    return next((known for known in PICTURE_SETS if bare(known) == bare(name)), name)


#: Public sets of small pictures.
PictureSet = Annotated[_PictureName, BeforeValidator(_as_we_write)]


def _pixel_size(text: str) -> str:
    if text and split_quantity(text, ("nm", "um"), "30 nm")[0] == 0:
        raise ValueError("a pixel has an edge above 0, as in '30 nm'")
    return plain_quantity(text)


def _odd_edges(rows: list[list[float]]) -> list[list[float]]:
    widths = {len(row) for row in rows}
    if len(widths) != 1 or not all(length % 2 and length <= 15 for length in (len(rows), *widths)):
        raise ValueError(
            "give rows of numbers, all of one length; 1, 3, 5 ... 15 rows, and as many columns, "
            "as in [[0, 1, 0], [1, -4, 1], [0, 1, 0]]"
        )
    return rows


class Workshop(Section):
    """What the pages of `snakemake workshop` show: change a key, run again, and look."""

    panorama: str = Field(
        "",
        description="Panorama whose image the pages work on; empty: the first of the sample sheet.",
    )
    image: InputPath = Field(
        "",
        description="A picture of your own: PNG, JPEG or TIFF of any subject, also in colour; its "
        "path starts from the folder of the study. Pages 1 to 6 look at it; page 7, and what pages "
        "4 and 5 show of sites, labels and statistics, stay with the panoramas. Empty: the "
        "panorama.",
    )
    image_pixel_size: Annotated[str, AfterValidator(_pixel_size)] = Field(
        "",
        description="Edge of a pixel of this picture, as in `30 nm`. Empty: what its header says; "
        "where it says nothing, lengths are given in pixels.",
    )
    place: (
        Annotated[list[Annotated[int, Field(ge=0, le=10**6)]], Field(min_length=2, max_length=2)]
        | None
    ) = Field(
        None,
        description="Row and column of the upper left corner of the cut that the pages look at. "
        "`null` takes it from the middle.",
    )
    cut: int = Field(
        1024,
        ge=128,
        le=4096,
        description="Edge of the cut in pixels. A larger one holds more sites and takes longer.",
    )
    threshold: int | None = Field(
        None,
        ge=0,
        le=255,
        description="Grey value that the page on images marks as yours, beside those of Otsu. "
        "`null` marks none.",
    )
    filter: Annotated[list[list[float]], AfterValidator(_odd_edges)] = Field(
        [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]],
        description="A filter of your own that the page on convolution slides over the image: rows "
        "of numbers, an odd number of rows and of columns, up to 15 each.",
    )
    clusters: int = Field(
        5,
        ge=2,
        le=12,
        description="Groups that the page on learning without labels divides sites into. Only five "
        "can agree wholly with the five classes of sites.",
    )
    smoothing: float = Field(
        1.5,
        ge=0,
        le=20,
        description="How much neighbouring pixels of a phase map should agree, on the page on "
        "learning with labels. 0 changes nothing, high values remove small islands.",
    )
    network: str = Field(
        "INPUT -> CONV3-28 -> POOL -> FC-128 -> RELU -> DROPOUT -> FC",
        description="A network of your own, which the page on CNNs builds and trains beside "
        "LeNet-5.",
    )
    digits: PictureSet = Field(
        "digits",
        description="Small pictures that the page on CNNs learns. `digits` come with scikit-learn. "
        "The others are downloaded once, or read from `digits_folder`.",
    )
    digits_folder: InputPath = Field(
        "",
        description="Folder with the public files of `mnist`, `fashion_mnist` or `cifar10`, where "
        "nothing can be downloaded.",
    )
    epochs: int = Field(
        20,
        ge=1,
        le=200,
        description="Passes over the small pictures in the training of the page on CNNs.",
    )
