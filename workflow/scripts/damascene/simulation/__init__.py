"""Simulated panoramas of deformed dual-phase steel, with the truth about every site in them."""

from damascene.simulation.labels import draw_labels
from damascene.simulation.panorama import simulate_panorama

__all__ = ["draw_labels", "simulate_panorama"]
