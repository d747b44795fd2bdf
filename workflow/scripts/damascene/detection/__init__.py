"""Dark sites of a panorama: threshold, clusters, footprints, and their match to known sites."""
