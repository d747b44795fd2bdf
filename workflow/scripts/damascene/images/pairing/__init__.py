"""Two scans of one place: by how much one is shifted against the other, and one laid over it."""
