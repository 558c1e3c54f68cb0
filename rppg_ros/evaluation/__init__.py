"""Recordings through the nodes' own pipeline, against ground truth."""
