"""``optout``: published pages that a later reservation covers."""
