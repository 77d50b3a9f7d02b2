"""An hour of mixed load, after which nothing may have grown."""
