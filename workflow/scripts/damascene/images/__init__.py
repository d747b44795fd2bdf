"""Panoramas on disk and in memory: import, the tiled store, and work tile by tile."""
