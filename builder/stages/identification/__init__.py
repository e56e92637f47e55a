"""Models, scripts and detectors of ``language``."""
