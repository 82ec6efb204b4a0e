"""`sop-run doctor`: what stands in the way of the procedure, each with a way to correct it."""
