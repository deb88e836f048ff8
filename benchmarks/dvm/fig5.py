"""Figure 5: Phase II of spread with continuous actions and MA-SAC, by 2, 3 and 4 agents."""

from benchmarks import dvm
from benchmarks.dvm._spread import figure

FIGURE = figure(5, dvm.CONTINUOUS, "MA-SAC", "Phase II of spread with continuous actions, MA-SAC, 2, 3 and 4 agents")
