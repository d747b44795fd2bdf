"""Where sites lie to each other: clustered, by chance or apart, along bands, and by class."""
