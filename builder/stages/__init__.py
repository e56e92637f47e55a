"""The built-in stages. Each stage is one class in one module of the same name."""
