"""The tables of an audit besides the ledger: texts, spans, signals, records of sites, evidence."""
