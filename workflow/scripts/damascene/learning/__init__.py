"""What every training of a network shares: device, batches, augmentation, progress."""
