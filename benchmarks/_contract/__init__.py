"""What every game, every learner and every figure keeps to, as tests: of the suite's own, and of a paper's elsewhere.

A test says which kind of things it is asked of; whoever collects it says which those are (`cases`).
"""
