"""Journal state → the typed content of the documents."""
