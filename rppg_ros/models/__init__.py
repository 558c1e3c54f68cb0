"""The networks, in torch: for import, export and training; nothing at run time needs this."""
