"""VAEs that are right but for one thing, a file each. Found by name like any family: "bug-mean" is mean.py."""
