"""List the inputs of a build, hash them, and select those that it reads."""
