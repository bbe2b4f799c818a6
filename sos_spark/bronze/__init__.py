"""Returns as received: what arrived, which of it is taken, and its rows. Fields, faults and records serve all three."""
