"""Process text as bytes: folding, words, repair, strings in JSON."""
