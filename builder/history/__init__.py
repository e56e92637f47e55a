"""What older versions know, and what later ones will ask."""
