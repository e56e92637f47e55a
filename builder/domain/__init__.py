"""Define the words of the glossary as frozen values and pure functions, without I/O."""
