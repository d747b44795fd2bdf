"""How good a panorama is, block by block, for a person to look at before believing its counts."""
