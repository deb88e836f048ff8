"""Papers that lie elsewhere than here: how they are found, begun, and what they must have to be run."""
