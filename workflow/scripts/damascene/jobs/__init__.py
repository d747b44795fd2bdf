"""What the jobs of the workflow need: log, fingerprint, resources, preview of costs."""
