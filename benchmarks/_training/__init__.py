"""From missing seeds to stored runs: the only place where an algorithm meets an environment."""
