"""The procedure as data and as a state machine. Pure: no I/O."""
