"""Windows round sites, as networks and people see them."""
