"""Building the index: the table of pairs with its store."""
