"""The workshop: what its pages compute and draw, beyond what the other rooms do."""
