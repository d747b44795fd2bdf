"""What the user hands in: the sample sheet, the label files, and their check before any work."""
