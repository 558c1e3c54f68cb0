"""What `rppg-ros` does: one module for each subcommand."""
