"""Read lists of domains, hosts, URLs and words, and find the rules that match a URL."""
