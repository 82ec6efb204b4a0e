"""Programs that run on managed hosts: Python 3.6+, standard library only, one phase each."""
