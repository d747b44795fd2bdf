"""Write the sites of a panorama in the formats of other tools."""

import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from damascene.exchange.coco import coco_labels, coco_results
from damascene.exchange.imagej import imagej_set
from damascene.exchange.label_studio import label_studio_tasks, labelling_interface
from damascene.exchange.napari import napari_points, napari_shapes
from damascene.exchange.qupath import qupath_objects
from damascene.exchange.sites import Site, classified
from damascene.exchange.voc import NETWORKS, voc_text
from damascene.files import add_to_archive, written_whole

#: Left, top, width and height of a tile in its panorama.
Place = tuple[int, int, int, int]
_LABELS, _NETWORKS = "labels", "networks"


def panorama_files(
    sites: Sequence[Site], *, panorama: str, size_px: tuple[int, int]
) -> dict[str, str | bytes]:
    """Return what the files of a panorama hold, by what they are.

    Parameters
    ----------
    sites : sequence of Site
    panorama : str
    size_px : (int, int)
        Its width and height.

    Returns
    -------
    dict
        `coco_labels`, `coco_networks`, `voc_labels`, `voc_networks`, `qupath`, `napari_points`,
        `napari_shapes`, `label_studio`, `interface` and `imagej`.
    """
    image = {"image": f"{panorama}.ome.tif", "size_px": size_px}
    # Browsers, in which Label Studio runs, show no TIFF.
    picture = {"image": f"{panorama}.png", "size_px": size_px}
    said, predicted = _objects(sites)
    return {
        "coco_labels": _json(coco_labels(sites, **image)),
        "coco_networks": _json(coco_results(sites)),
        "voc_labels": voc_text(said, **image),
        "voc_networks": voc_text(predicted, **image, database=NETWORKS),
        "qupath": _json(qupath_objects(sites)),
        "napari_points": napari_points(sites),
        "napari_shapes": napari_shapes(sites),
        "label_studio": _json(label_studio_tasks(sites, **picture)),
        "interface": labelling_interface(),
        "imagej": imagej_set(sites),
    }


def write_files(contents: dict[str, str | bytes], paths: dict[str, str | Path]) -> None:
    """Write files, all of them whole, by what they are."""
    with written_whole(*(paths[name] for name in contents)) as parts:
        for content, part in zip(contents.values(), parts, strict=True):
            part.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_tiles(
    sites: Sequence[Site], tiles: Iterable[tuple[str, Place]], path: str | Path
) -> None:
    """Write an archive with files of labelImg for each tile of a panorama.

    A site belongs to the tile that its centroid lies in, of tiles that overlap to that in whose
    border it lies least. Folder `labels` has what people said, and `networks` what networks said.

    Parameters
    ----------
    sites : sequence of Site
    tiles : iterable of (str, Place)
        Names, with their folders, and places.
    path : path of the archive
    """
    tiles = list(tiles)
    of_tile = {name: [] for name, _ in tiles}
    for site in sites:
        depths = [(_depth(site, place), -number) for number, (_, place) in enumerate(tiles)]
        depth, number = max(depths, default=(-1, 0))
        if depth >= 0:
            of_tile[tiles[-number][0]].append(site)
    with written_whole(path) as (part,), zipfile.ZipFile(part, "w") as archive:
        for name, (left, top, width, height) in tiles:
            image = {"image": PurePosixPath(name).name, "size_px": (width, height)}
            for folder, objects, database in zip(
                (_LABELS, _NETWORKS), _objects(of_tile[name]), ("Unknown", NETWORKS), strict=True
            ):
                moved = [(said, (x - left, y - top, w, h)) for said, (x, y, w, h) in objects]
                file = PurePosixPath(folder, name).with_suffix(".xml").as_posix()
                text = voc_text(moved, **image, database=database)
                add_to_archive(archive, file, text)


def _json(content):
    return json.dumps(content, allow_nan=False)


def _objects(sites):
    """Return classes and boxes of what people said, and of what networks said."""
    return (
        [(site.label, site.box) for site in sites if site.label],
        [(site.predicted, site.box) for site in sites if classified(site)],
    )


def _depth(site, place):
    """Return how far a centroid lies within a tile, negative outside."""
    left, top, width, height = place
    x, y = site.x_px + 0.5 - left, site.y_px + 0.5 - top
    return min(x, y, width - x, height - y)
