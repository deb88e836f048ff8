"""Figure 4: Phase II of spread with discrete actions and MADDPG, by 2, 3 and 4 agents."""

from benchmarks import dvm
from benchmarks.dvm._spread import figure

FIGURE = figure(4, dvm.DISCRETE, "MADDPG", "Phase II of spread with discrete actions, MADDPG, 2, 3 and 4 agents")
