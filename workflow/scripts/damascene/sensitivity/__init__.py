"""How the number of sites depends on the parameters of detection."""
