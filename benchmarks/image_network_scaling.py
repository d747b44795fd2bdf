"""Time image networks on panoramas of 25 to 400 megapixels, and draw how time and memory grow.

Usage: python benchmarks/image_network_scaling.py --panoramas FOLDER --output FOLDER
           [--models resources/models/phases.keras ...] [--kind synthetic] [--threads 2]

The panoramas are those of `make_panoramas.py`. Each network reads a panorama, answers every pixel,
and its answers become an image (the most probable phase, or a grey value), all in a process of its
own, so that memory is that of the job. Without `--models` the plain U-Net is measured with random
weights, which take as long as trained ones. Processor time holds on a busy machine, too.
Writes `image_network_scaling.tsv` and a figure of the same name.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd

matplotlib.use("Agg")
import matplotlib.pyplot as plt

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))
from damascene.figures import style

#: Colours and markers of the networks in the order in which they are given.
LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#8C8C8C", "D"))
#: Instead of a file: the plain U-Net with random weights.
RANDOM = "unet"
#: Noise of the synthetic panoramas in grey levels, which denoisers are told.
NOISE = 8
#: What is asked for: memory of a job, and its speed for phase maps.
MOST_MIB, LEAST_MPX_PER_S = 2048, 1.0


def main() -> None:
    """Measure every panorama by every network, then write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panoramas", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="*", default=[None])
    parser.add_argument("--kind", default="synthetic")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", nargs=2, metavar=("IMAGE", "MODEL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, threads=options.threads)))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    images = sorted(
        (
            path
            for path in options.panoramas.glob(f"{options.kind}_*.ome.tif")
            if not path.name.endswith(".valid.ome.tif")
        ),
        key=_megapixels,
    )
    if not images:
        raise SystemExit(f"{options.panoramas} has no panoramas; run make_panoramas.py first.")
    rows = []
    for image in images:
        for model in options.models:
            rows.append(_measured_alone(image, model, options))
            print(rows[-1], flush=True)
            # Written after each panorama: the last takes longest.
            table = pd.DataFrame(rows)
            table.to_csv(options.output / "image_network_scaling.tsv", sep="\t", index=False)
    draw(table).savefig(options.output / "image_network_scaling.png", dpi=style.PNG_DPI)


def measure(image_path: str, model_path: str, *, threads: int) -> dict[str, float]:
    """Answer a panorama in this process; return megapixels, seconds and peak memory."""
    from damascene.learning.device import choose_device

    choose_device(gpu=0, threads=threads, blocks_at_once=threads)
    from damascene.contracts.image_model_card import ImageModelCard
    from damascene.images.store import open_pair, write_tiled
    from damascene.learning.image_answers import answer_blocks
    from damascene.learning.patches import centred_grey
    from damascene.networks.image_networks import build_image_network, margins_of
    from damascene.restoration.learned import read_denoiser
    from damascene.segmentation.segment import segment_panorama

    mask_path = image_path.replace(".ome.tif", ".valid.ome.tif")
    task = None
    if model_path != RANDOM:
        card = ImageModelCard.read(Path(model_path).with_suffix(".json"))
        task = card.task
    started, busy = time.perf_counter(), time.process_time()
    with (
        open_pair(image_path, mask_path) as (image, valid),
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "answer.ome.tif"
        written = {"shape": image.shape, "pixel_size_nm": image.pixel_size_nm, "name": "answer"}
        if task == "segmentation":
            segment_panorama(
                image,
                valid,
                panorama="answer",
                model_path=model_path,
                phases=card.phases,
                method=card.method,
                path=path,
                threads=threads,
            )
        elif task == "denoiser":
            denoiser = read_denoiser(model_path)
            write_tiled(path, denoiser.strips(image, noise=NOISE, threads=threads), **written)
        else:
            model = build_image_network("unet", seed=0, outputs=3)
            halo_px, overlap_px = margins_of("unet", model)
            answers = answer_blocks(
                model,
                image,
                prepare=centred_grey,
                halo_px=halo_px,
                overlap_px=overlap_px,
                threads=threads,
            )
            strips = (answer.argmax(axis=-1).astype(np.uint8) for answer in answers)
            write_tiled(path, strips, pyramid=False, **written)
        megapixels = image.shape[0] * image.shape[1] / 1e6
    return {
        "megapixels": megapixels,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - busy,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def _megapixels(path):
    return int(path.name.split(".")[0].split("_")[1])


def _measured_alone(image, model, options):
    command = [sys.executable, __file__, "--panoramas", options.panoramas]
    command += ["--output", options.output, "--threads", options.threads]
    command += ["--one", image, model or RANDOM]
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True)
    return {
        "panorama": image.name.split(".")[0],
        "network": model.stem if model else RANDOM,
        **json.loads(done.stdout.splitlines()[-1]),
    }


@matplotlib.rc_context(style.STYLE)
def draw(table: pd.DataFrame) -> plt.Figure:
    """Draw time and peak memory against the size of the panorama."""
    figure = style.new_figure(width_mm=style.FULL_WIDTH_MM, height_mm=70)
    times, memory = figure.subplots(1, 2)
    for (colour, marker), (name, rows) in zip(LOOKS, table.groupby("network"), strict=False):
        looks = {"color": colour, "marker": marker, "label": name}
        times.loglog(rows["megapixels"], rows["seconds"], **looks)
        memory.semilogx(rows["megapixels"], rows["peak_mib"], **looks)
    sizes = sorted(table["megapixels"].unique())
    asked = {"color": "black", "linestyle": "--", "linewidth": 0.8}
    times.loglog(sizes, np.divide(sizes, LEAST_MPX_PER_S), label="1 Mpx/s", **asked)
    memory.axhline(MOST_MIB, label="2 GiB", **asked)
    times.set(ylabel="time / s")
    memory.set(ylabel="peak memory / MiB", ylim=(0, None))
    for axes in (times, memory):
        axes.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
        axes.minorticks_off()
        axes.set(xlabel="size of the panorama / Mpx")
        axes.legend()
    return figure


if __name__ == "__main__":
    main()
