"""What extract_text runs on one page."""
