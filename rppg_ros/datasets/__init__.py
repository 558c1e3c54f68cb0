"""Public datasets, read in their published layouts, with the stamps and the ground truth that they come with."""
