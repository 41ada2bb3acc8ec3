"""``eigenwarp up``: web, workers and Redis on one machine, supervised, with one data folder."""
