"""Train the network that denoises scans of any noise on simulated steel, for the resources.

Run by `make shipped-denoiser`. A run that was stopped goes on after its last whole epoch.
"""

import logging
from pathlib import Path

from damascene.learning.device import choose_device
from damascene.restoration.condition_training import train_on_simulated_steel

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "resources/models/denoise_simulated.keras"
EPOCHS = 8
SEED = 17


def main() -> None:
    """Train the network, and write it with its card."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    device = choose_device(gpu=0, threads=1)
    _, card = train_on_simulated_steel(epochs=EPOCHS, seed=SEED, model_path=SHIPPED, device=device)
    card.write(SHIPPED.with_suffix(".json"))
    print(f"{SHIPPED.name}: {SHIPPED.stat().st_size}")


if __name__ == "__main__":
    main()
