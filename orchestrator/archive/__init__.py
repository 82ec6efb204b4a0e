"""BagIt archive of a cycle, and its audit."""
