"""Read what sites and pages say about the use of their texts: pure functions over bytes and headers."""
