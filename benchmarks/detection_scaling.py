"""Time the search for candidates on panoramas of 25 to 1000 megapixels, and draw how it grows.

Usage: python benchmarks/detection_scaling.py --panoramas FOLDER --output FOLDER

The panoramas are those of `make_panoramas.py`; each is measured by `compare_detection.py`. The
straightforward way is left out above 400 megapixels, where it takes many minutes and gigabytes.
Writes `detection_scaling.tsv` and a figure of the same name.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import matplotlib
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.figures import style

LARGEST_FOR_PEER = 400
#: What is drawn: name in the table, name in the figure, colour, marker.
CURVES = (
    ("peer", "scikit-learn and a loop", "#D55E00", "s"),
    ("job", "damascene", "#0072B2", "o"),
    ("read", "reading the file", "#8C8C8C", "^"),
)


def main() -> None:
    """Measure every panorama, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panoramas", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    images = [
        path
        for path in options.panoramas.glob("*.ome.tif")
        if not path.name.endswith(".valid.ome.tif")
    ]
    if not images:
        raise SystemExit(f"{options.panoramas} has no panoramas; run make_panoramas.py first.")
    parts = []
    for image in sorted(images, key=_megapixels):
        parts.append(_measure(image, options))
        table = pd.concat(parts)
        # Written after each panorama: the last takes longest.
        table.to_csv(
            options.output / "detection_scaling.tsv", sep="\t", index=False, float_format="%.9g"
        )
        print(parts[-1].to_string(index=False), flush=True)
    draw(table).savefig(options.output / "detection_scaling.png", dpi=style.PNG_DPI)


def _megapixels(path):
    return int(path.name.split(".")[0].split("_")[1])


def _measure(image, options):
    mask = image.with_name(image.name.replace(".ome.tif", ".valid.ome.tif"))
    out = options.output / f"{image.name.split('.')[0]}.tsv"
    command = [sys.executable, Path(__file__).with_name("compare_detection.py"), image, mask]
    command += ["--repeats", options.repeats, "--threads", options.threads, "--out", out]
    if _megapixels(image) > LARGEST_FOR_PEER:
        command.append("--no-peer")
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    return pd.read_csv(out, sep="\t")


@matplotlib.rc_context(style.STYLE)
def draw(table: pd.DataFrame) -> plt.Figure:
    """Draw time and peak memory against the size of the panorama, for simulated steel."""
    kinds = table["panorama"].str.split("_").str[0]
    table = table[(kinds == "simulated") & (table["parameters"] == "kerzel2024")]
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=70)
    for axes, column, label in zip(
        figure.subplots(1, 2),
        ("seconds", "peak_mib"),
        ("time / s", "peak memory / MiB"),
        strict=True,
    ):
        for measured, name, colour, marker in CURVES:
            curve = table[table["measured"] == measured].sort_values("megapixels")
            axes.loglog(curve["megapixels"], curve[column], color=colour, marker=marker, label=name)
        sizes = sorted(table["megapixels"].unique())
        axes.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="size of the panorama / Mpx", ylabel=label)
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
