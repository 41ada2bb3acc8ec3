"""The database holds the truth about volumes, jobs, subjects, keys and accesses."""
