"""Domain shift: whether a panorama looks like those that the networks learned from."""
