"""From dark pixels in strips to clusters: DBSCAN, connected components, holes and outlines."""
