"""Write README.md and croissant.json from a manifest."""
