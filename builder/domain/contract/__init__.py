"""Define contracts: the rules that records must meet, and the columns that records become."""
