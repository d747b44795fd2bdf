"""Phase maps: label images, networks that learn from them, and the maps they make."""
