"""The words of a specification; `benchmarks` hands them on."""
