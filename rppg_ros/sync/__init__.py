"""Time: which frames belong together, which stamps to trust, and how to put them on an even clock."""
