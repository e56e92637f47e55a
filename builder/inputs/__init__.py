"""What a build reads: inputs with their hashes, and which of them are new."""
