"""Dark pixels on disk: from the jobs that read strips of a panorama to the one that clusters."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from damascene.clustering.pixels import DarkPixels, Pixels, Strips

_COLUMNS = {
    "rows": pa.int64(),
    "columns": pa.int64(),
    "greys": pa.uint8(),
    "beside_invalid": pa.bool_(),
}
# The columns of `DarkPixels.around`.
_AROUND = {name: pa.float32() for name in ("around_sum", "around_count", "around_step")}


def write_dark_pixels(strips: Iterable[DarkPixels], path: str | Path, *, around: bool) -> int:
    """Write dark pixels as Parquet, a row group a strip, and return how many there are.

    Parameters
    ----------
    strips : iterable of DarkPixels
        From the top; no more than one is in memory.
    path : path of the file
    around : bool
        Whether the pixels know their surroundings.
    """
    count = 0
    schema = pa.schema(_COLUMNS | (_AROUND if around else {}))
    with pq.ParquetWriter(path, schema) as writer:
        for dark in strips:
            values = {name: getattr(dark, name) for name in _COLUMNS}
            if around:
                values |= dict(zip(_AROUND, dark.around.T, strict=True))
            writer.write_table(pa.table(values, schema=schema))
            count += len(dark.rows)
    return count


def read_dark_pixels(paths: Sequence[str | Path], *, height: int) -> Strips:
    """Read the dark pixels of a panorama back, strip by strip.

    Parameters
    ----------
    paths : sequence of paths
        Of files of `write_dark_pixels`, from the top of the panorama to its bottom.
    height : int
        Rows of the panorama.

    Yields
    ------
    Pixels, int
        As `clusters.clusters_of_strips` takes them; strips without dark pixels join the next.
    """
    # Nothing dark is known of the rows below the last pixel of a strip: they join the next one.
    for pixels in _groups(paths):
        yield pixels, int(pixels.rows[-1]) + 1
    yield Pixels.none(), height


def _groups(paths) -> Iterator[Pixels]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                table = file.read_row_group(number)
                if not len(table):
                    continue
                values = {name: table[name].to_numpy() for name in table.column_names}
                around = [values.pop(name) for name in _AROUND if name in values]
                yield Pixels.of(
                    DarkPixels(**values, around=np.column_stack(around) if around else None)
                )
