"""One file for each way to make a version: the one place where the parts meet."""
