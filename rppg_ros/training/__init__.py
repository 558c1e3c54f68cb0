"""Losses and what trains the networks; needs torch."""
