"""Web archives: where records begin and end, and what becomes of each."""
