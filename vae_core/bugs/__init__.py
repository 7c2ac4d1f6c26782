"""The classic mistakes, each a small change to the right code."""
