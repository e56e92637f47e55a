"""Train the models of the package. Nothing here is part of the package."""
