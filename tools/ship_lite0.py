"""Adapt EfficientNet-Lite0 to simulated steel, for the resources.

Run by `make shipped-lite0`. A training that was stopped goes on after its last whole epoch.
"""

import logging

from damascene.classification.steel_adaptation import adapt_to_steel
from damascene.learning.device import choose_device
from damascene.networks.steel_lite0 import STEEL_WEIGHTS

PANORAMAS, EPOCHS, SEED = 28, 3, 18


def main() -> None:
    """Train the network, and write its weights."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    choose_device(gpu=0, threads=1)
    adapt_to_steel(panoramas=PANORAMAS, epochs=EPOCHS, seed=SEED, weights_path=STEEL_WEIGHTS)
    print(f"{STEEL_WEIGHTS.name}: {STEEL_WEIGHTS.stat().st_size}")


if __name__ == "__main__":
    main()
