"""Read what earlier versions recorded: the index, the ledgers, and the past rows of corpus stages."""
