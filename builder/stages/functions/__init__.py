"""Functions of a user that a stage calls: how rows look to them, and how they are found."""
