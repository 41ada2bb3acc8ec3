"""Live progress of jobs, in Redis streams. Disposable: the database holds the truth."""
