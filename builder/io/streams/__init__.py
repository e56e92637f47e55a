"""Find, open and decompress input files, local or remote."""
