"""How large sites are, which way cracks point, and what that says of three dimensions."""
