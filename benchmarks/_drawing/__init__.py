"""From curves and verdicts to pictures."""
