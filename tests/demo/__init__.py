"""`make demo`: a real tree in through AzCopy, its cold bytes out to an object store, every byte back."""
