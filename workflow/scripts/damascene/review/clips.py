"""What the review gallery shows: a queue of sites with their clips, in scripts for its page."""

import base64
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from damascene.classes import DAMAGE_CLASSES, SITE_CLASSES
from damascene.clips.pictures import cut_clips
from damascene.clips.place_marks import mark_of_place
from damascene.clips.windows import clip_window
from damascene.contracts.candidates import CANDIDATES
from damascene.contracts.sites import PREDICTIONS
from damascene.contracts.table import read_table
from damascene.files import written_whole
from damascene.images.source_files import checksum
from damascene.images.store import TiledImage, open_pair

#: The queue and its pictures, below the folder of the page.
QUEUE, CHUNK = "review/queue.js", "review/clips_{number}.js"
#: Sites whose pictures one script holds: loaded at once, in less than a blink.
CHUNK_SITES = 50
#: Edge of a window of a site, and how much wider than the site it is at least.
_WINDOW_UM, _WIDER = 10.0, 1.6
#: Pixels of a picture; finer windows are reduced.
_MOST_PX = 240
# A visible loss would be taken for the steel. The pictures of a site take 11 kB with this quality.
_QUALITY = 80
_BOX = ("left_px", "top_px", "width_px", "height_px")


@dataclass(frozen=True, kw_only=True, eq=False)
class Clip:
    """The picture of a site, and where it lies.

    Attributes
    ----------
    picture : numpy.ndarray, uint8, shape (size, size)
    left_px, top_px, edge_px : int
        Its window in the panorama.
    edge_um : float
        Edge of the window.
    """

    picture: np.ndarray
    left_px: int
    top_px: int
    edge_px: int
    edge_um: float


def cut_site(image: TiledImage, valid: TiledImage, site: Mapping[str, float]) -> Clip:
    """Cut the window in which a person looks at a site: the site with what is round it.

    Parameters
    ----------
    image, valid : TiledImage
        The working image, and its mask.
    site : mapping
        With the bounding box of the site: left_px, top_px, width_px and height_px.
    """
    pixel_um = image.pixel_size_nm / 1000
    longest_px = max(site["width_px"], site["height_px"])
    edge_px = min(round(max(_WINDOW_UM / pixel_um, _WIDER * longest_px)), *image.shape)
    x_px = site["left_px"] + (site["width_px"] - 1) / 2
    y_px = site["top_px"] + (site["height_px"] - 1) / 2
    window = clip_window(x_px, y_px, window_px=edge_px, shape=image.shape)
    size_px = min(edge_px, _MOST_PX)
    (picture,) = cut_clips(image, [x_px], [y_px], window_px=edge_px, size_px=size_px, shown=valid)
    return Clip(
        picture=picture,
        left_px=window.left,
        top_px=window.top,
        edge_px=edge_px,
        edge_um=edge_px * pixel_um,
    )


def review_sites(
    order: pd.DataFrame,
    *,
    panoramas: Sequence[str],
    sites: Sequence[str | Path],
    images: Sequence[str | Path],
    imported: Sequence[str | Path],
    masks: Sequence[str | Path],
    classified: bool,
) -> tuple[pd.DataFrame, list[Clip]]:
    """Return what is known of the sites of a queue, and their clips, panorama by panorama.

    Parameters
    ----------
    order : pandas.DataFrame
        `REVIEW_REASONS`.
    panoramas, sites, images, imported, masks : sequences
        All panoramas, their `PREDICTIONS` or `CANDIDATES`, working images, images as they were
        imported, and masks.
    classified : bool
        Whether the tables are `PREDICTIONS`.

    Returns
    -------
    table : pandas.DataFrame
        The queue with the columns of the sites, and `image`, by which a label knows its image
        again: see `clips.place_marks`.
    clips : list of Clip
        In its order.
    """
    contract = PREDICTIONS if classified else CANDIDATES
    parts, clips = [], {}
    places = zip(panoramas, sites, images, imported, masks, strict=True)
    for name, path, image_path, imported_path, mask_path in places:
        wanted = order[order["panorama"] == name]
        if wanted.empty:
            continue
        part = wanted.merge(read_table(path, contract), on=["panorama", "site_id"], validate="1:1")
        with open_pair(image_path, mask_path, by_windows=True) as (image, valid):
            for rank, *box in part[["rank", *_BOX]].itertuples(index=False):
                clips[rank] = cut_site(image, valid, dict(zip(_BOX, box, strict=True)))
        with TiledImage(imported_path) as image:
            at = part[["x_px", "y_px"]].itertuples(index=False)
            part["image"] = [mark_of_place(image, x, y) for x, y in at]
        parts.append(part)
    if not parts:
        return order.reindex(columns=[*order.columns, *list(contract.columns)[2:], "image"]), []
    table = pd.concat(parts).sort_values("rank", ignore_index=True)
    return table, [clips[rank] for rank in table["rank"]]


def queue_for_page(
    table: pd.DataFrame,
    clips: Sequence[Clip],
    answers: pd.DataFrame,
    *,
    labels: Mapping[str, int],
    model: str,
) -> dict:
    """Return what the page knows of the queue, column by column, as JSON can hold it.

    Parameters
    ----------
    table, clips
        From `review_sites`.
    answers : pandas.DataFrame
        `ANSWERS`.
    labels : mapping of class to int
        Labelled sites of each class that the study has from all people; classes without any may be
        missing.
    model : str
        Name of the networks, see `networks_name`; empty without.
    """
    said = _answers_by_site(answers)
    key = list(zip(table["panorama"], table["site_id"], strict=True))
    queue = {
        "model": model,
        "chunk": CHUNK_SITES,
        "count": len(table),
        "labels": {name: int(labels.get(name, 0)) for name in SITE_CLASSES},
        "panorama": table["panorama"].tolist(),
        "site_id": table["site_id"].tolist(),
        "image": table["image"].tolist(),
        "drawn_by": table["drawn_by"].tolist(),
        "reason": table["reason"].tolist(),
        "answers": [said.get(each, []) for each in key],
        "window": [[each.left_px, each.top_px, each.edge_px] for each in clips],
    }
    for name in ("x_px", "y_px"):
        queue[name] = [round(value, 3) for value in table[name].tolist()]
    queue |= {name: table[name].tolist() for name in _BOX} if len(table) else {}
    if model and len(table):
        queue["predicted_class"] = table["predicted_class"].tolist()
        queue["prediction_set"] = table["prediction_set"].tolist()
        names = ["p_inclusion", *(f"p_{name}" for name in DAMAGE_CLASSES)]
        queue |= {name: [round(value, 4) for value in table[name].tolist()] for name in names}
    return queue


def _answers_by_site(answers):
    """Return annotator, answer and time of each vote, by panorama and site."""
    said = {}
    votes = answers[answers["counts"]]
    columns = ["panorama", "site_id", "annotator", "answer", "time"]
    for panorama, site_id, annotator, answer, time in votes[columns].itertuples(index=False):
        said.setdefault((panorama, site_id), []).append([annotator, answer, time])
    return said


def networks_name(folder: str | Path) -> str:
    """Return a short name of both networks in a folder, which follows from what they hold."""
    files = (Path(folder) / f"{stage}.keras" for stage in ("inclusion", "damage"))
    return hashlib.sha256("".join(map(checksum, files)).encode()).hexdigest()[:12]


def encoded(picture: np.ndarray) -> str:
    """Return a picture as a WebP in base64."""
    packed = io.BytesIO()
    Image.fromarray(picture).save(packed, "WEBP", quality=_QUALITY, method=4)
    return base64.b64encode(packed.getvalue()).decode()


def scripts_for_page(queue: Mapping, clips: Sequence[Clip]) -> Iterator[tuple[str, str]]:
    """Yield the path of each script below the folder of the page, and its text.

    Parameters
    ----------
    queue : mapping
        From `queue_for_page`.
    clips : sequence of Clip
    """
    for start in range(0, len(clips), CHUNK_SITES):
        pictures = [encoded(each.picture) for each in clips[start : start + CHUNK_SITES]]
        path = CHUNK.format(number=start // CHUNK_SITES)
        yield path, _script(path, pictures)
    yield QUEUE, _script(QUEUE, queue)


def _script(path, content):
    return f"damascene.data.receive({json.dumps(path)}, {json.dumps(content, allow_nan=False)});\n"


def write_for_page(folder: str | Path, queue: Mapping, clips: Sequence[Clip]) -> None:
    """Write the scripts of a queue into a folder, whole: either all of them or none.

    Parameters
    ----------
    folder : path
        `review/` below the folder of the page.
    queue, clips
        See `scripts_for_page`.
    """
    with written_whole(folder) as (part,):
        part.mkdir(parents=True)
        for path, text in scripts_for_page(queue, clips):
            (part / Path(path).name).write_text(text, encoding="utf-8")
