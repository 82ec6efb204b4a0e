"""Journal state → content of a document → xlsx, pdf."""
