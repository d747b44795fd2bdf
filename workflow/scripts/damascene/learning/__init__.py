"""What every trainer shares, whatever its network answers: one class a site, or an image."""
