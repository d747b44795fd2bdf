"""Write files so that a product is either whole or absent."""

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def written_whole(*paths: str | Path) -> Iterator[list[Path]]:
    """Hand out temporary paths beside the products and rename them when all went well.

    After an error nothing is left of what was written, and products of an earlier run stay as
    they were.

    Parameters
    ----------
    *paths : paths of the products

    Yields
    ------
    list of pathlib.Path
        Where to write instead, in the same order.
    """
    products = [Path(path) for path in paths]
    temporary = [path.with_name(f".{path.name}.part") for path in products]
    try:
        yield temporary
        for part, product in zip(temporary, products, strict=True):
            part.replace(product)
    finally:
        for part in temporary:
            part.unlink(missing_ok=True)
