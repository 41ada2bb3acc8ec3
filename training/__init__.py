"""Making a model bundle, offline: data, augmentation, losses, the training loop, the basis and its evaluation."""
