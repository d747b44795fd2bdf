"""A small page of the viewer for tests, and what its data scripts hold."""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pandas as pd

from damascene.classes import CLASSES, SITE_CLASSES
from damascene.contracts.attention import CELLS, Attention
from damascene.contracts.panorama_record import AcquisitionRecord, PanoramaRecord, ValidArea
from damascene.images.store import write_tiled
from damascene.viewer.page import write_page
from damascene.viewer.sites import attention_script, outlines_script, sites_script
from damascene.viewer.study import study_facts
from damascene.viewer.tiles import write_image_tiles, write_overviews, write_phase_tiles

#: What would be run if a text of a user became markup.
HOSTILE = '</script><img src=x onerror="window.harmed=1">it\'s \\ \u2028 \ttabbed\nbroken'
SHAPE = (1500, 2100)
#: Pixel sizes in nm: the same steel at two magnifications, and a panorama without any site.
PIXEL_SIZES = {"strain_00": 40.0, "strain_12": 20.0, "empty": 40.0}
WITHHELD = "noise is foreign to the networks <b>"
PHASES = {"ferrite": "#56b4e9", "martensite": "#e69f00", "damage": "#000000"}
SITES = 60
#: Places in strain_12 that were labelled where no site is: x and y as the first person has them.
PLACES = {-1: (1001.0, 400.0), -2: (2000.0, 700.0)}


def unpacked(script: bytes) -> tuple[str, list[bytes]]:
    """Read a pack as a browser does: windows-1252, then the escapes of a text."""
    head, text = re.fullmatch(
        rb'damascene\.data\.receive\(([^{]*\{.*?)"text":"(.*)"\}\);\n', script, re.DOTALL
    ).groups()
    at = json.loads(re.search(rb'"at":(\[[^]]*\])', head)[1])
    plain = re.sub(
        rb"\\(.)", lambda m: {b"n": b"\n", b"r": b"\r"}.get(m[1], m[1]), text, flags=re.DOTALL
    )
    assert len(plain) == at[-1]
    return json.loads(re.match(rb'"[^"]*"', head)[0]), [
        plain[start:stop] for start, stop in itertools.pairwise(at)
    ]


def made_sites(name: str, count: int = SITES) -> pd.DataFrame:
    """Return `SITES` of dark squares of 12 px, of all classes, the last of them not classified."""
    rng = np.random.default_rng(7)
    # Apart from each other, and from the border.
    cells = rng.permutation(18 * 13)[:count]
    left, top = 60 + cells % 18 * 110, 60 + cells // 18 * 105
    order = np.array(SITE_CLASSES)[np.arange(count) % len(SITE_CLASSES)].astype(object)
    order[-1:] = "not_classified"
    p = np.full((count, len(SITE_CLASSES)), 0.05)
    for i, own in enumerate(order):
        if own in SITE_CLASSES:
            p[i, SITE_CLASSES.index(own)] = 0.6 + 0.4 * i / count
    size_um = 12 * PIXEL_SIZES[name] / 1000
    sets = np.where(np.arange(count) % 3 == 0, order + "|notch", order)
    return pd.DataFrame(
        {
            "panorama": name,
            "site_id": np.arange(count),
            "x_px": left + 5.5,
            "y_px": top + 5.5,
            "fragments": 1,
            "area_px": 144,
            "area_um2": size_um**2 * (1 + np.arange(count) / 10),
            "equivalent_diameter_um": 1.128 * size_um,
            "aspect_ratio": 1.0,
            "orientation_deg": 0.0,
            "convexity": 1.0,
            "left_px": left,
            "top_px": top,
            "width_px": 12,
            "height_px": 12,
            "mean_grey": 20.0,
            "minimum_grey": 20.0,
            "touches_border": False,
            "touches_mask": False,
            **{f"p_{each}": p[:, i] for i, each in enumerate(SITE_CLASSES)},
            "predicted_class": order,
            "confidence": np.where(order == "not_classified", np.nan, p.max(axis=1)),
            "prediction_set": np.where(order == "not_classified", "", sets),
            "label": np.where(np.arange(count) < 4, "notch", ""),
            "class": np.where(np.arange(count) < 4, "notch", order),
        }
    )


def made_answers(name: str) -> pd.DataFrame:
    """Return answers of two people on the first sites, of whom one writes hostile notes.

    In one panorama two places were labelled, too, where there is no site.
    """
    rows = [
        (0, HOSTILE, "notch", HOSTILE, "2026-11-29T10:00:00Z"),
        (0, "B", "interface", "", ""),
        (1, "B", "notch", "=1+1", ""),
        (2, "B", "notch", "", ""),
    ]
    if name == "strain_12":
        rows += [(-1, each, "notch", HOSTILE, "") for each in ("A", "B")]
        rows += [(-2, "A", "inclusion", "", ""), (-2, "B", "notch", "", "")]
    table = pd.DataFrame(rows, columns=["site_id", "annotator", "answer", "note", "time"])
    table = table.assign(
        panorama=name,
        file="own.tsv",
        row=2,
        order=range(len(table)),
        counts=True,
        tied_by="outline",
    )
    # Both people mean the same place, some pixels apart.
    for axis, name in enumerate(("x_px", "y_px")):
        places = {each: at[axis] for each, at in PLACES.items()}
        table[name] = table["site_id"].map(places).fillna(0.0) + (table["annotator"] == "B") * 4.0
    reasons = {-1: "no candidate", -2: "outside the valid area"}
    return table.assign(tied_by=table["site_id"].map(reasons).fillna("outline"))


def made_runs(sites: pd.DataFrame) -> pd.DataFrame:
    """Return `CANDIDATE_RUNS` of the squares."""
    return pd.DataFrame(
        [
            (one.site_id, one.top_px + y, one.left_px, one.left_px + one.width_px - 1)
            for one in sites.itertuples()
            for y in range(one.height_px)
        ],
        columns=["site_id", "y_px", "left_px", "right_px"],
    )


def made_attention(name: str) -> list[Attention]:
    """Return what both networks look at in two sites: the upper left quarter of the window."""
    sites = made_sites(name).iloc[[5, 7]]
    heat = np.zeros((2, 2, CELLS, CELLS), np.uint8)
    heat[:, :, : CELLS // 2, : CELLS // 2] = 255
    about = {
        "centre": 0.5,
        "panorama": sites["panorama"].to_numpy(str),
        "site_id": sites["site_id"].to_numpy(),
        "x_px": sites["x_px"].to_numpy(),
        "y_px": sites["y_px"].to_numpy(),
        "named": sites["predicted_class"].to_numpy(str),
        "probability": np.array([0.75, 0.5]),
        "heat": heat,
    }
    return [
        Attention(stage="inclusion", window_um=np.nan, window_px=100.0, **about),
        Attention(stage="damage", window_um=4.0, window_px=np.nan, **about),
    ]


def made_record(name: str) -> PanoramaRecord:
    """Return the record of a panorama of the page."""
    nm = PIXEL_SIZES[name]
    return PanoramaRecord(
        panorama=name,
        width_px=SHAPE[1],
        height_px=SHAPE[0],
        pixel_size_nm=nm,
        pixel_size_source="sheet",
        acquisition=AcquisitionRecord(),
        valid_area_mm2=SHAPE[0] * SHAPE[1] * nm**2 * 1e-12,
        valid_fraction=0.9,
        valid_area=ValidArea(valid=0.9, no_image=0.1, blank=0, charging=0),
        source="simulated",
        sources=(),
        stitching=None,
        grey_scale=None,
        notes=(),
        versions={},
    )


def make_viewer(folder: Path, *, classified: bool = True) -> Path:
    """Write a page with its data; return the page.

    The panoramas show dark squares on textured grey, and an area that is not valid at the right.
    """
    tables = {}
    for name, nm in PIXEL_SIZES.items():
        sites = made_sites(name) if name != "empty" else made_sites(name).iloc[:0]
        if not classified:
            sites = sites.loc[:, :"touches_mask"]
        tables[name] = sites
        options = {"shape": SHAPE, "pixel_size_nm": nm, "name": name}
        source = folder / f"{name}.ome.tif"
        write_tiled(source, [made_pixels(sites)], **options)
        mask = np.full(SHAPE, 255, np.uint8)
        mask[:, -210:] = 0
        valid = folder / f"{name}.valid.ome.tif"
        write_tiled(valid, [mask], pyramid=False, **options)
        phases = folder / f"{name}.phases.ome.tif"
        write_tiled(
            phases, [1 + (made_pixels(sites) > 140).astype(np.uint8)], labels=True, **options
        )
        tiles = folder / "tiles" / name
        write_image_tiles(source, tiles, key=f"tiles/{name}")
        write_overviews(source, valid, tiles, key=f"tiles/{name}")
        colours = dict(enumerate(PHASES.values(), start=1))
        write_phase_tiles(phases, folder / "phases" / name, key=f"phases/{name}", colours=colours)
        (folder / "sites").mkdir(exist_ok=True)
        key = f"sites/{name}.js"
        answers = made_answers(name) if len(sites) else None
        attention = made_attention(name) if name == "strain_00" else []
        script = sites_script(key, sites, answers=answers, attention=attention)
        (folder / key).write_text(script, encoding="utf-8")
        key = f"sites/{name}.attention.js"
        (folder / key).write_bytes(attention_script(key, attention))
        key = f"sites/{name}.outlines.js"
        (folder / key).write_bytes(outlines_script(key, made_runs(sites), sites))
    facts = study_facts(
        study=HOSTILE,
        version="1.2.3",
        records=[made_record(name) for name in PIXEL_SIZES],
        sites=tables,
        sheet={
            name: {"strain_percent": float("nan"), "condition": HOSTILE, "specimen": ""}
            for name in PIXEL_SIZES
        },
        phases=PHASES,
        hard_phase="martensite",
    )
    facts["panoramas"][-1]["withheld"] = WITHHELD
    page = folder / "index.html"
    page.write_text(write_page(facts), encoding="utf-8")
    return page


def made_pixels(sites: pd.DataFrame) -> np.ndarray:
    """Return the grey values of a panorama with these sites."""
    y, x = np.indices(SHAPE)
    pixels = 120 + 30 * np.sin(x / 90) * np.cos(y / 70)
    pixels += np.random.default_rng(1).normal(0, 4, SHAPE)
    for one in sites.itertuples():
        place = np.s_[one.top_px : one.top_px + 12, one.left_px : one.left_px + 12]
        pixels[place] = 20
    return np.clip(pixels, 1, 255).astype(np.uint8)


#: Marks of the classes, and how many sites of each the panoramas with sites have.
COUNTS = {each.name: int((made_sites("strain_00")["class"] == each.name).sum()) for each in CLASSES}
