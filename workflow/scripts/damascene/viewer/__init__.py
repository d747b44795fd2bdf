"""The viewer: one page that opens from disk, on which one looks at panoramas and their sites."""
