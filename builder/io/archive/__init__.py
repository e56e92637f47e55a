"""Read web archives: find where each record begins and ends, and turn it into a page or a rejection."""
